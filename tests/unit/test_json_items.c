/* Item by item, a text means what it means as a whole. */
#include "test.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/json_items.h"

static bool collect(void *context, const cJSON *item)
{
    auto_free char *text = json_print(item);
    buf_puts(context, text);
    buf_putc(context, ' ');
    return !cJSON_IsFalse(item);
}

static void test_items_come_in_their_order(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *items; /* items NULL: refused */
    } rows[] = {
        { "none", "{\"list\":[]}", "" },
        { "several kinds", "{\"list\":[1,{\"a\":[2]},\"x]\"]}", "1 {\"a\":[2]} \"x]\" " },
        { "blanks", " { \"list\" : [ 1 , 2 ] } \n", "1 2 " },
        { "other members", "{\"a\":{\"list\":[9]},\"list\":[1],\"b\":[2]}", "1 " },
        { "an escaped name", "{\"l\\u0069st\":[1]}", "1 " },
        { "no such member", "{\"other\":[1]}", NULL },
        { "an empty object", "{}", NULL },
        { "no array", "{\"list\":{\"a\":1}}", NULL },
        { "null", "{\"list\":null}", NULL },
        { "twice", "{\"list\":[1],\"list\":[2]}", NULL },
        { "an array outside", "[{\"list\":[1]}]", NULL },
        { "something behind", "{\"list\":[1]} x", NULL },
        { "cut in an item", "{\"list\":[1,{\"a\":", NULL },
        { "cut behind an item", "{\"list\":[1", NULL },
        { "cut behind a comma", "{\"list\":[1,", NULL },
        { "cut behind the array", "{\"list\":[1]", NULL },
        { "a comma too many", "{\"list\":[1,]}", NULL },
        { "a comma too many outside", "{\"list\":[1],}", NULL },
        { "no comma", "{\"list\":[1 2]}", NULL },
        { "no colon", "{\"list\" [1]}", NULL },
        { "a name that is no string", "{1:[1]}", NULL },
        { "the reader refuses", "{\"list\":[true,false,1]}", NULL },
        { "nothing", "", NULL },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        size_t length = strlen(rows[i].text);
        auto_free char *exact = mem_alloc(length); /* without NUL: nothing behind it may be read */
        memcpy(exact, rows[i].text, length);
        auto_buf struct buf items;
        buf_init(&items, 1024);
        bool ok = json_items(exact, length, "list", collect, &items);
        if (ok != (rows[i].items != NULL) || (ok && strcmp(buf_text(&items), rows[i].items) != 0))
            fail_msg("%s: %d %s", rows[i].name, ok, buf_text(&items));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_come_in_their_order),
    };
    json_setup();
    return test_run(tests);
}
