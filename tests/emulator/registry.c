/* The registry's token endpoint: what `docker login` and every image pull ask first. */

#include "registry.h"

#include <openssl/evp.h>
#include <stdlib.h>
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

/* deepgram/self-hosted-<product> for whoever has that product, or all. */
static bool may_pull(const struct credential *credential, const char *repository)
{
    const char prefix[] = "deepgram/self-hosted-";
    if (strncmp(repository, prefix, sizeof prefix - 1) != 0)
        return false;
    auto_free char *product = mem_format("self-hosted:product:%s", repository + sizeof prefix - 1);
    const cJSON *scope;
    cJSON_ArrayForEach(scope, credential->scopes)
        if (strcmp(scope->valuestring, "self-hosted:products") == 0 ||
            strcmp(scope->valuestring, product) == 0)
            return true;
    return false;
}

/* What the token is good for. Like Quay, an account that may not pull gets a token all the same,
 * with an empty list of actions. */
static cJSON *make_claims(const struct call *call, const struct credential *credential)
{
    cJSON *claims = cJSON_CreateObject();
    cJSON_AddStringToObject(claims, "iss", "quay");
    cJSON_AddStringToObject(claims, "aud", "quay.io");
    cJSON *list = cJSON_AddArrayToObject(claims, "access");
    const char type[] = "repository:";
    for (size_t i = 0; i < call->request->param_count; i++) {
        const struct param *param = &call->request->params[i];
        if (strcmp(param->name, "scope") != 0 || strncmp(param->value, type, sizeof type - 1) != 0)
            continue;
        const char *name = param->value + sizeof type - 1;
        const char *colon = strrchr(name, ':');
        if (!colon)
            continue;
        auto_free char *repository = mem_format("%.*s", (int)(colon - name), name);
        cJSON *entry = cJSON_CreateObject();
        cJSON_AddStringToObject(entry, "type", "repository");
        cJSON_AddStringToObject(entry, "name", repository);
        cJSON *actions = cJSON_AddArrayToObject(entry, "actions");
        if (strstr(colon, "pull") && may_pull(credential, repository))
            cJSON_AddItemToArray(actions, cJSON_CreateString("pull"));
        cJSON_AddItemToArray(list, entry);
    }
    return claims;
}

/* base64url without padding. */
static char *encode(const char *text)
{
    size_t length = strlen(text);
    char *encoded = mem_alloc(length / 3 * 4 + 8);
    EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)text, (int)length);
    for (char *at = encoded; *at; at++) {
        if (*at == '+')
            *at = '-';
        else if (*at == '/')
            *at = '_';
        else if (*at == '=')
            *at = '\0';
    }
    return encoded;
}

/* A JSON Web Token; nobody here verifies the signature. */
static char *make_token(const struct call *call, const struct credential *credential)
{
    auto_json cJSON *claims = make_claims(call, credential);
    char *text = cJSON_PrintUnformatted(claims);
    auto_free char *head = encode("{\"alg\":\"RS256\",\"typ\":\"JWT\"}");
    auto_free char *body = encode(text);
    auto_free char *signature = ids_alphanumeric(REGISTRY_SIGNATURE_LENGTH);
    free(text);
    return mem_format("%s.%s.%s", head, body, signature);
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
    auto_free char *token = make_token(call, credential);
    cJSON_AddStringToObject(answer, "token", token);
    reply_json(&call->reply, 200, answer);
}
