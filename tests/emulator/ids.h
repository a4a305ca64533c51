#ifndef EMULATOR_IDS_H
#define EMULATOR_IDS_H

/* Random identifiers and secrets of the lengths and alphabets that Deepgram uses. */

#include <stdbool.h>

enum {
    ID_LENGTH = 36,
    ID_SIZE = ID_LENGTH + 1,
    API_KEY_LENGTH = 40,
    DISTRIBUTION_SECRET_LENGTH = 64,
    REGISTRY_SIGNATURE_LENGTH = 128,
};

void ids_uuid(char ret_id[static ID_SIZE]);
bool ids_is_uuid(const char *text);

/* A new string, the caller's: letters and digits, or capital letters and digits only. */
char *ids_alphanumeric(unsigned length);
char *ids_capitals(unsigned length);

#endif
