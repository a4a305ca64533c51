/* API keys: `/v1/projects/{project}/keys`. Pure. */
#ifndef DEEPGRAM_API_KEY_H
#define DEEPGRAM_API_KEY_H

#include "deepgram/request.h"

extern const struct credential_kind api_key_kind;

#endif
