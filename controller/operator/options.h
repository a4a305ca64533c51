/* The command line: flags, each also as DEEPGRAM_OPERATOR_<FLAG> in the environment (a flag wins).
 */
#ifndef OPERATOR_OPTIONS_H
#define OPERATOR_OPTIONS_H

#include <stdint.h>
#include <stdio.h>

#include "api/resource.h"
#include "base/err.h"
#include "base/log.h"

/* Strings and lists are owned. */
struct options {
    char *kubeconfig;   /* NULL: found by kube_config_load */
    char **namespaces;  /* NULL-terminated; NULL: all */
    char *deepgram_url; /* no trailing slash */
    char *registry_url;
    char *default_credentials_namespace; /* NULL: no default credentials */
    char *default_credentials_name;
    char **default_credentials_namespaces; /* who may use them; NULL: nobody but their own */
    enum role max_role;
    char *listen;
    bool leader_elect;
    int64_t lease_duration_ms;
    int64_t lease_renew_ms; /* deadline for renewing, < lease_duration_ms */
    int64_t lease_retry_ms;
    int64_t watch_timeout_ms;
    long max_in_flight;
    int64_t inventory_interval_ms;
    int64_t settle_ms;
    enum log_format log_format;
    enum log_level log_level;
    char *ca_pem; /* of --ca-file, read at start; NULL: system's */
    bool allow_plain_http;
};

enum options_result { OPTIONS_RUN, OPTIONS_EXIT_OK, OPTIONS_EXIT_USAGE };

/* --help and --version print to stdout (EXIT_OK); a mistake prints to stderr what is wrong and what
 * to do (EXIT_USAGE). */
NODISCARD enum options_result options_parse(int argc, char **argv, struct options *ret_options);
void options_done(struct options *options);

/* Is that namespace allowed the default credentials? */
bool options_default_credentials_allowed(const struct options *options, const char *namespace);
/* Is that namespace watched? */
bool options_namespace_watched(const struct options *options, const char *namespace);

#endif
