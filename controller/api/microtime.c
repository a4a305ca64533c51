#include "api/microtime.h"

#include <stdio.h>
#include <string.h>

void microtime_format(int64_t ms, char ret_text[TIMESTAMP_BYTES])
{
    timestamp_format(ms, ret_text);
    size_t length = strlen(ret_text) - strlen("Z");
    snprintf(ret_text + length, TIMESTAMP_BYTES - length, ".%03d000Z", (int)(ms % 1000));
}
