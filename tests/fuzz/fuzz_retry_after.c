/* The header Retry-After, and the times and durations that stand in resources. */
#include <assert.h>
#include <stdint.h>

#include "api/timestamp.h"
#include "deepgram/retry_after.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    auto_free char *text = mem_strndup((const char *)bytes, length);
    static const int64_t clocks_ms[] = { 0, 784111777000, 1785485700000, INT64_MAX };
    for (size_t i = 0; i < ARRAY_LENGTH(clocks_ms); i++) {
        int64_t wait_ms = retry_after_parse(text, clocks_ms[i]);
        assert(wait_ms >= -1 && wait_ms <= 3600 * 1000);
    }
    int64_t ms = 0;
    char formatted[TIMESTAMP_BYTES];
    if (timestamp_parse(text, &ms)) {
        timestamp_format(ms, formatted);
        assert(ms < -62167219200000 || ms > 253402300799999 ||
               timestamp_or(formatted, ms + 1) / 1000 == ms / 1000 - (ms % 1000 < 0 ? 1 : 0));
    }
    if (duration_parse(text, &ms)) {
        assert(ms >= 0);
        duration_format(ms, formatted);
        int64_t again_ms = -1;
        assert(duration_parse(formatted, &again_ms) && again_ms == ms);
    }
    return 0;
}
