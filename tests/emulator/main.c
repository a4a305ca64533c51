/* deepgram-emulator: a stand-in for Deepgram's management API and the registry's token endpoint,
 * for the tests. Written from Deepgram's public documentation and sharing no code with the
 * controller, so that a misunderstanding in one of them shows. */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator.h"
#include "server.h"

struct options {
    struct server_options server;
    struct settings settings;
    char *address;
};

static bool parse_number(const char *text, long max, long *ret_number)
{
    char *end;
    *ret_number = strtol(text, &end, 10);
    return *text && !*end && *ret_number >= 0 && *ret_number <= max;
}

static bool parse_listen(const char *text, struct options *options)
{
    const char *colon = strrchr(text, ':');
    long port;
    if (!colon || !parse_number(colon + 1, 65535, &port))
        return false;
    free(options->address);
    options->address = mem_format("%.*s", (int)(colon - text), text);
    options->server.address = options->address;
    options->server.port = (int)port;
    return true;
}

static bool parse_latency(const char *text, struct settings *settings)
{
    long latency_ms;
    bool valid = parse_number(text, INT32_MAX, &latency_ms);
    settings->latency_ms = valid ? latency_ms : 0;
    return valid;
}

static bool parse_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        { "listen", required_argument, NULL, 'l' },
        { "tls-cert", required_argument, NULL, 'c' },
        { "tls-key", required_argument, NULL, 'k' },
        { "latency-ms", required_argument, NULL, 'd' },
        { 0 },
    };
    bool valid = parse_listen("127.0.0.1:0", options);
    int option;
    while (valid && (option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'l':
            valid = parse_listen(optarg, options);
            break;
        case 'c':
            options->server.tls_cert_file = optarg;
            break;
        case 'k':
            options->server.tls_key_file = optarg;
            break;
        case 'd':
            valid = parse_latency(optarg, &options->settings);
            break;
        default:
            valid = false;
        }
    }
    return valid && optind == argc &&
           !options->server.tls_cert_file == !options->server.tls_key_file;
}

int main(int argc, char **argv)
{
    mem_hook_json();
    struct options options = { 0 };
    int status = EXIT_FAILURE;
    if (parse_options(argc, argv, &options)) {
        struct emulator emulator;
        emulator_init(&emulator, &options.settings);
        if (server_run(&options.server, &emulator))
            status = EXIT_SUCCESS;
        emulator_reset(&emulator);
    } else {
        fputs("usage: deepgram-emulator [--listen ADDR:PORT] [--tls-cert FILE --tls-key FILE] "
              "[--latency-ms N]\n",
              stderr);
    }
    free(options.address);
    return status;
}
