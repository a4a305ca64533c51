/* A kubeconfig from anywhere: it is refused with a message or gives a usable configuration. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "kube/kubeconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    json_setup();
    struct kube_config config = { 0 };
    struct err err = ERR_INIT;
    /* No file of that directory exists, so nothing outside the input is read. */
    auto_json cJSON *files = cJSON_CreateObject();
    if (kubeconfig_add(files, (const char *)bytes, length, "/nonexistent", &err) &&
        kubeconfig_choose(files, NULL, &config, &err)) {
        assert(strncmp(config.server, "http", 4) == 0 && config.namespace[0]);
        assert(!config.exec || (config.exec->command[0] && config.exec->args && config.exec->env));
        assert(!config.client_certificate_pem == secret_is_empty(&config.client_key_pem));
    } else {
        assert(err.kind == ERR_INVALID && err.message[0]);
        assert(!config.server);
    }
    kube_config_done(&config);
    return 0;
}
