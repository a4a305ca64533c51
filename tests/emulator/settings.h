#ifndef EMULATOR_SETTINGS_H
#define EMULATOR_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

/* How this Deepgram behaves when nothing is wrong. */
struct settings {
    int64_t latency_ms;      /* before every answer */
    int64_t list_lag_ms;     /* lists show creations and deletions this much later */
    bool expand_scopes;      /* grant every product for `self-hosted:products` */
    bool nested_credentials; /* username and secret inside `distribution_credentials` */
    bool omit_username;
    bool repeat_onprem;    /* list every self-hosted scope once more under its older name */
    int64_t grant_seconds; /* let each key expire so long after its creation; 0: as asked */
    char grant_scope[64];  /* grant this scope alone, whatever is asked; "": as asked */
};

#endif
