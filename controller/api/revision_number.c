/* Foreign numbers are bounded here once, so that no sum of them can overflow later. */
#include "api/revision_number.h"

#include "base/json.h"

int64_t revision_number_parse(const char *text)
{
    if (!text)
        return 0;
    int64_t number = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return 0;
        number = number * 10 + (*text - '0');
        if (number > REVISION_NUMBER_MAX)
            return 0;
    }
    return number;
}

int64_t revision_number_at(const cJSON *json, const char *path)
{
    int64_t number = json_int_at(json, path, 0);
    return number >= 1 && number <= REVISION_NUMBER_MAX ? number : 0;
}
