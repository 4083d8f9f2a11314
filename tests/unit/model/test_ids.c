#include "base/str.h"
#include "lib/main.h"
#include "model/ids.h"

START_TEST(forms)
{
    char hex[ID_HEX_LEN + 1], uuid[ID_UUID_LEN + 1], again[ID_UUID_LEN + 1];
    id_new_hex(hex);
    id_new_uuid(uuid);
    id_new_uuid(again);
    ck_assert(id_is_hex(slice_str(hex)));
    ck_assert(id_is_uuid(slice_str(uuid)));
    ck_assert_int_eq(uuid[14], '4');
    ck_assert_str_ne(uuid, again);
    ck_assert(!id_is_hex(slice_str("0123456789abcdef0123456789abcdeF")));
    ck_assert(!id_is_hex(slice_str("0123")));
    ck_assert(!id_is_uuid(slice_str("00000000-0000-4000-8000-00000000000g")));
    ck_assert(!id_is_uuid(slice_str("00000000000-4000-8000-0000-000000000")));
}
END_TEST

Suite *suite_ids(void);

Suite *
suite_ids(void)
{
    Suite *s = suite_create("ids");
    ADD_TESTS(s, "ids", forms);
    return s;
}
