/* Item by item, a text means what it means as a whole, however it is cut. */
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

static bool read_up_to(size_t max, const char *text, size_t length, size_t piece,
                       struct buf *collected)
{
    struct json_items *items = json_items_new("list", max, collect, collected);
    for (size_t at = 0; at < length; at += piece) {
        size_t size = length - at < piece ? length - at : piece;
        auto_free char *exact = mem_alloc(size); /* without NUL: nothing behind it may be read */
        memcpy(exact, text + at, size);
        json_items_feed(items, exact, size);
    }
    bool ok = json_items_are_complete(items);
    json_items_free(items);
    return ok;
}

static bool read_in_pieces(const char *text, size_t length, size_t piece, struct buf *collected)
{
    return read_up_to(100, text, length, piece, collected);
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
        { "brackets that don't match", "{\"list\":[{\"a\":1]]}", NULL },
        { "a word that is none", "{\"list\":[nul]}", NULL },
        { "a value of two", "{\"list\":[1\"a\"]}", NULL },
        { "strings side by side", "{\"list\":[\"a\"\"b\"]}", NULL },
        { "no value", "{\"a\":,\"list\":[]}", NULL },
        { "escapes", "{\"list\":[\"\\\"]\",\"\\\\\",{\"\\\"}\":0}]}",
          "\"\\\"]\" \"\\\\\" {\"\\\"}\":0} " },
        { "numbers and words", "{\"list\":[-1.5e3,null,true ]}", "-1500 null true " },
        { "the reader refuses", "{\"list\":[true,false,1]}", NULL },
        { "nothing", "", NULL },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        size_t length = strlen(rows[i].text);
        for (size_t piece = 1; piece <= length + 1; piece++) {
            auto_buf struct buf items;
            buf_init(&items, 1024);
            bool ok = read_in_pieces(rows[i].text, length, piece, &items);
            if (ok != (rows[i].items != NULL) ||
                (ok && strcmp(buf_text(&items), rows[i].items) != 0))
                fail_msg("%s, %zu bytes at a time: %d %s", rows[i].name, piece, ok,
                         buf_text(&items));
        }
    }
}

static void test_the_beginning_of_a_list_is_none(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\":[1,\"\\\\\"],\"list\":[{\"b\":\"]}\\\"\"}, 17,true ],\"c\":null}";
    for (size_t length = 0; length < sizeof text; length++)
        for (size_t piece = 1; piece <= length + 1; piece++) {
            auto_buf struct buf items;
            buf_init(&items, 1024);
            if (read_in_pieces(text, length, piece, &items) != (length == sizeof text - 1))
                fail_msg("%zu bytes, %zu at a time", length, piece);
        }
}

static void test_no_value_is_longer_than_agreed(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        bool ok;
    } rows[] = {
        { "as long as that", "{\"list\":[\"345678\",[34567]],\"a\":12345678}", true },
        { "an item", "{\"list\":[\"3456789\"]}", false },
        { "another member", "{\"list\":[],\"a\":123456789}", false },
        { "a name", "{\"3456789\":1,\"list\":[]}", false },
        { "blanks don't count", "{          \"list\":[          ]}", true },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        size_t length = strlen(rows[i].text);
        for (size_t piece = 1; piece <= length; piece++) {
            auto_buf struct buf items;
            buf_init(&items, 1024);
            if (read_up_to(8, rows[i].text, length, piece, &items) != rows[i].ok)
                fail_msg("%s, %zu bytes at a time", rows[i].name, piece);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_come_in_their_order),
        cmocka_unit_test(test_the_beginning_of_a_list_is_none),
        cmocka_unit_test(test_no_value_is_longer_than_agreed),
    };
    json_setup();
    return test_run(tests);
}
