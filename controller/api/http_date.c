/* The day of the week is redundant, and not looked at. */
#include "api/http_date.h"

#include <string.h>

#include "api/timestamp.h"

/* That many digits; -1 when there is anything else among them. */
static int read_digits(const char *text, int count)
{
    int number = 0;
    for (; count > 0; count--, text++) {
        if (*text < '0' || *text > '9')
            return -1;
        number = number * 10 + (*text - '0');
    }
    return number;
}

static int read_month(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++)
        if (strncmp(text, months + i * 3, 3) == 0)
            return i + 1;
    return -1;
}

bool http_date_parse(const char *text, size_t length, int64_t *ret_ms)
{
    static const char form[] = "___, __ ___ ____ __:__:__ GMT";
    if (length != sizeof form - 1)
        return false;
    for (size_t i = 0; i < length; i++)
        if (form[i] != '_' && form[i] != text[i])
            return false;
    struct civil_time civil = {
        .year = read_digits(text + 12, 4),
        .month = read_month(text + 8),
        .day = read_digits(text + 5, 2),
        .hour = read_digits(text + 17, 2),
        .minute = read_digits(text + 20, 2),
        .second = read_digits(text + 23, 2),
    };
    return timestamp_from_civil(&civil, ret_ms);
}
