/* The token endpoint of the image registry: what every pull asks first. Credentials that get a pull
 * token for a repository can pull its images. Pure.
 */
#ifndef DEEPGRAM_REGISTRY_H
#define DEEPGRAM_REGISTRY_H

#include "deepgram/answer.h"

/* The request for a token that allows pulling from `repository` ("deepgram/self-hosted-api"); to be
 * sent with the credentials as HTTP Basic. *ret as of the builders in deepgram/request.h. */
void registry_token(const char *repository, struct deepgram_request *ret);

/* True when the answer is a token for it. A registry may give a token that allows nothing: one that
 * tells what it allows (a JSON Web Token, as Quay's are) has to name the repository.
 * UNAUTHORIZED: it doesn't know the credentials; FORBIDDEN: they may not pull from there;
 * THROTTLED; TRANSIENT: no answer, or it fails; MALFORMED: that isn't a registry's answer. */
NODISCARD bool registry_token_answered(const char *repository, const struct deepgram_answer *answer,
                                       struct err *err);

#endif
