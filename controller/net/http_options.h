/* From a struct http_call to the options of a libcurl easy handle. Private to net/http. */
#ifndef NET_HTTP_OPTIONS_H
#define NET_HTTP_OPTIONS_H

#include <curl/curl.h>

#include "net/http.h"

/* What libcurl borrows: to be released with http_options_done() after the easy handle. */
struct http_options {
    struct curl_slist *headers;
    struct curl_slist *connect_to;
};

/* Sets everything but callbacks; libcurl copies all of `call`. A connection that was idle for
 * longer than max_idle_s is not used again. */
NODISCARD CURLcode http_options_set(CURL *easy, const struct http_call *call,
                                    const char *user_agent, long max_idle_s,
                                    struct http_options *ret_options);
void http_options_done(struct http_options *options);

#endif
