/* Quay pull credentials: `/v1/projects/{project}/self-hosted/distribution/credentials`. Pure. */
#ifndef DEEPGRAM_PULL_SECRET_H
#define DEEPGRAM_PULL_SECRET_H

#include "deepgram/request.h"

extern const struct credential_kind pull_secret_kind;

#endif
