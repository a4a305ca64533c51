/* The registry's token endpoint: what `docker login` and every image pull ask first. */

#include "registry.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "call.h"

/* The "username:password" of a Basic header, the caller's; NULL when it is something else. */
static char *decode_basic(const char *authorization)
{
    const char scheme[] = "Basic ";
    if (!authorization || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
        return NULL;
    const char *encoded = authorization + sizeof scheme - 1;
    size_t length = strlen(encoded);
    char *decoded = mem_alloc(length / 4 * 3 + 4);
    if (EVP_DecodeBlock((unsigned char *)decoded, (const unsigned char *)encoded, (int)length) < 0)
        decoded[0] = '\0';
    return decoded;
}

/* Splits at the colon; the username has to be deepgram+<id> and the password its secret. */
static struct credential *find_account(struct call *call)
{
    const char prefix[] = "deepgram+";
    auto_free char *account = decode_basic(call->request->authorization);
    char *colon = account ? strchr(account, ':') : NULL;
    if (!colon || strncmp(account, prefix, sizeof prefix - 1) != 0)
        return NULL;
    *colon = '\0';
    struct credential *credential = state_find(call->state, account + sizeof prefix - 1);
    if (!credential || credential->type != CREDENTIAL_DISTRIBUTION ||
        strcmp(credential->secret, colon + 1) != 0)
        return NULL;
    return credential_is_alive(credential, call->now_ms) ? credential : NULL;
}

void registry_auth(struct call *call)
{
    const char *service = request_param(call->request, "service");
    cJSON *answer = cJSON_CreateObject();
    if (!service || strcmp(service, "quay.io") != 0) {
        cJSON_AddStringToObject(answer, "error", "Unknown service");
        reply_json(&call->reply, 400, answer);
        return;
    }
    struct credential *credential = find_account(call);
    if (!credential) {
        cJSON_AddStringToObject(answer, "error", "Invalid username or password");
        reply_json(&call->reply, 401, answer);
        return;
    }
    memcpy(call->credential_id, credential->id, ID_SIZE);
    auto_free char *token = ids_alphanumeric(REGISTRY_TOKEN_LENGTH);
    cJSON_AddStringToObject(answer, "token", token);
    reply_json(&call->reply, 200, answer);
}
