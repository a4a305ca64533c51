/* libyaml allocates with malloc and a kubeconfig holds tokens: scalars and the reader's buffers are
 * wiped before they are given back. */
#include "kube/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/json.h"

enum {
    DEPTH_MAX = 32,
    NODE_COST = 64,              /* about what a node takes besides its text */
    COST_MAX = 16 * 1024 * 1024, /* bytes */
};

struct conversion {
    yaml_document_t *document;
    size_t cost;
    struct err *err;
};

static cJSON *convert(struct conversion *conversion, int index, unsigned depth);

static size_t cost_of(const yaml_node_t *node)
{
    return NODE_COST + (node->type == YAML_SCALAR_NODE ? node->data.scalar.length : 0);
}

static cJSON *convert_scalar(const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return cJSON_CreateString(text);
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return cJSON_CreateBool(text[0] == 't');
    if (text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0)
        return cJSON_CreateNull();
    return cJSON_CreateString(text);
}

static cJSON *convert_sequence(struct conversion *conversion, const yaml_node_t *node,
                               unsigned depth)
{
    auto_json cJSON *array = cJSON_CreateArray();
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        cJSON *value = convert(conversion, *item, depth);
        if (!value)
            return NULL;
        cJSON_AddItemToArray(array, value);
    }
    return take(array);
}

static cJSON *convert_mapping(struct conversion *conversion, const yaml_node_t *node,
                              unsigned depth)
{
    auto_json cJSON *object = cJSON_CreateObject();
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(conversion->document, pair->key);
        if (!key || key->type != YAML_SCALAR_NODE) {
            err_set(conversion->err, ERR_INVALID, "line %zu: a key isn't plain text",
                    node->start_mark.line + 1);
            return NULL;
        }
        conversion->cost += cost_of(key);
        cJSON *value = convert(conversion, pair->value, depth);
        if (!value)
            return NULL;
        cJSON_AddItemToObject(object, (const char *)key->data.scalar.value, value);
    }
    return take(object);
}

static cJSON *convert(struct conversion *conversion, int index, unsigned depth)
{
    const yaml_node_t *node = yaml_document_get_node(conversion->document, index);
    if (node)
        conversion->cost += cost_of(node);
    if (!node || depth > DEPTH_MAX || conversion->cost > COST_MAX) {
        err_set(conversion->err, ERR_INVALID, "nested too deeply or too large");
        return NULL;
    }
    switch (node->type) {
    case YAML_SCALAR_NODE:
        return convert_scalar(node);
    case YAML_SEQUENCE_NODE:
        return convert_sequence(conversion, node, depth + 1);
    case YAML_MAPPING_NODE:
        return convert_mapping(conversion, node, depth + 1);
    case YAML_NO_NODE:
        break;
    }
    return cJSON_CreateNull();
}

static void wipe_scalars(yaml_document_t *document)
{
    for (yaml_node_t *node = document->nodes.start; node < document->nodes.top; node++)
        if (node->type == YAML_SCALAR_NODE)
            mem_wipe(node->data.scalar.value, node->data.scalar.length);
}

static void wipe_reader(yaml_parser_t *parser)
{
    mem_wipe(parser->raw_buffer.start, (size_t)(parser->raw_buffer.end - parser->raw_buffer.start));
    mem_wipe(parser->buffer.start, (size_t)(parser->buffer.end - parser->buffer.start));
}

static bool convert_document(yaml_document_t *document, cJSON **ret_json, struct err *err)
{
    struct conversion conversion = { .document = document, .err = err };
    bool empty = yaml_document_get_root_node(document) == NULL;
    cJSON *json = empty ? cJSON_CreateNull() : convert(&conversion, 1, 0);
    if (json)
        *ret_json = json;
    return json != NULL;
}

bool yaml_to_json(const char *text, size_t length, cJSON **ret_json, struct err *err)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        return err_set(err, ERR_INVALID, "libyaml can't be initialised");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    bool ok = yaml_parser_load(&parser, &document);
    if (ok) {
        ok = convert_document(&document, ret_json, err);
        wipe_scalars(&document);
        yaml_document_delete(&document);
    } else {
        err_set(err, ERR_INVALID, "line %zu: not YAML: %s", parser.problem_mark.line + 1,
                parser.problem ? parser.problem : "unreadable");
    }
    wipe_reader(&parser);
    yaml_parser_delete(&parser);
    return ok;
}
