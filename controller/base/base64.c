/* OpenSSL's block decoder takes padding anywhere, so the alphabet is checked here first. */
#include "base/base64.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

char *base64_encode(const void *bytes, size_t length)
{
    assert(length <= INT_MAX / 2);
    char *text = mem_alloc((length + 2) / 3 * 4 + 1);
    EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
    return text;
}

/* Copies without white space; returns the new length. */
static size_t squeeze(char *to, const char *from)
{
    size_t length = 0;
    for (; *from; from++)
        if (!strchr(" \t\r\n", *from))
            to[length++] = *from;
    return length;
}

char *base64_decode(const char *text, size_t *ret_length)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = strlen(text);
    if (size > INT_MAX)
        return NULL;
    auto_free char *clean = mem_alloc(size + 1);
    size_t length = squeeze(clean, text);
    size_t padding = length - strspn(clean, alphabet);
    if (length % 4 != 0 || padding > 2 || strspn(clean + length - padding, "=") != padding)
        return NULL;

    size_t decoded = length / 4 * 3 - padding;
    auto_free char *bytes = mem_alloc(length / 4 * 3 + 1);
    if (length > 0 &&
        EVP_DecodeBlock((unsigned char *)bytes, (unsigned char *)clean, (int)length) < 0)
        return NULL;
    bytes[decoded] = '\0';
    *ret_length = decoded;
    return take(bytes);
}

void base64_sha256_hex(const void *bytes, size_t length, char ret_hex[BASE64_SHA256_HEX_BYTES])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_length = 0;
    int ok = EVP_Digest(bytes, length, digest, &digest_length, EVP_sha256(), NULL);
    assert(ok == 1 && digest_length == 32);
    static const char digits[] = "0123456789abcdef";
    for (unsigned int i = 0; i < digest_length; i++) {
        ret_hex[2 * i] = digits[digest[i] >> 4];
        ret_hex[2 * i + 1] = digits[digest[i] & 15];
    }
    ret_hex[2 * digest_length] = '\0';
}
