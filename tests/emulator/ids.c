/* Identifiers come from OpenSSL's generator and not from a seed: two runs must never share a key,
 * or a test could pass with a secret left over from the run before. */

#include "ids.h"

#include <ctype.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

static void fill_random(unsigned char *bytes, int count)
{
    if (RAND_bytes(bytes, count) != 1) {
        fputs("deepgram-emulator: no random numbers\n", stderr);
        abort();
    }
}

void ids_uuid(char ret_id[static ID_SIZE])
{
    unsigned char b[16];
    fill_random(b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(ret_id, ID_SIZE,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}

bool ids_is_uuid(const char *text)
{
    if (strlen(text) != ID_LENGTH)
        return false;
    for (unsigned i = 0; i < ID_LENGTH; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return true;
}

static char *random_text(unsigned length, const char *alphabet)
{
    size_t size = strlen(alphabet);
    char *text = mem_alloc(length + 1);
    fill_random((unsigned char *)text, (int)length);
    for (unsigned i = 0; i < length; i++)
        text[i] = alphabet[(unsigned char)text[i] % size];
    return text;
}

char *ids_alphanumeric(unsigned length)
{
    return random_text(length, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

char *ids_capitals(unsigned length)
{
    return random_text(length, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
}
