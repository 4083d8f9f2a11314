#include "plug/meta.h"

#include <elf.h>
#include <string.h>

#include "lib/main.h"

/* The smallest file that is a plugin: header, three sections, names, one note. */
struct file {
    Elf64_Ehdr h;
    Elf64_Shdr s[3];
    char names[32];
    acd_note note;
};

static struct file
make(void)
{
    struct file f = {0};
    memcpy(f.h.e_ident, ELFMAG, SELFMAG);
    f.h.e_ident[EI_CLASS] = ELFCLASS64;
    f.h.e_ident[EI_DATA] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    f.h.e_type = ET_DYN;
    f.h.e_shoff = offsetof(struct file, s);
    f.h.e_shnum = 3;
    f.h.e_shentsize = sizeof(Elf64_Shdr);
    f.h.e_shstrndx = 1;
    f.s[1].sh_offset = offsetof(struct file, names);
    f.s[1].sh_size = sizeof(f.names);
    memcpy(f.names + 3, ".note.anchord", sizeof(".note.anchord"));
    f.s[2].sh_name = 3;
    f.s[2].sh_type = SHT_NOTE;
    f.s[2].sh_offset = offsetof(struct file, note);
    f.s[2].sh_size = sizeof(f.note);
    f.note = (acd_note){8,
                        sizeof(acd_note) - offsetof(acd_note, struct_size),
                        ACD_NOTE_TYPE,
                        ACD_NOTE_VENDOR,
                        sizeof(acd_note) - offsetof(acd_note, struct_size),
                        1,
                        2,
                        ACD_QUOTA,
                        "some-name",
                        "1.2.3"};
    return f;
}

static int
parse(const struct file *f, size_t len, struct plug_meta *ret)
{
    /* a block of exactly the size, so that a sanitizer sees a read behind it */
    void *copy = malloc(len ? len : 1);
    memcpy(copy, f, len);
    int rc = plug_meta_parse((acd_slice){copy, len}, ret, NULL);
    free(copy);
    return rc;
}

START_TEST(a_good_file_is_read)
{
    struct plug_meta m;
    struct file f = make();
    ck_assert_int_eq(parse(&f, sizeof(f), &m), 0);
    ck_assert_str_eq(m.name, "some-name");
    ck_assert_str_eq(m.version, "1.2.3");
    ck_assert_uint_eq(m.major, 1);
    ck_assert_uint_eq(m.minor, 2);
    ck_assert_uint_eq(m.kind, ACD_QUOTA);
}
END_TEST

START_TEST(every_shorter_file_is_refused)
{
    struct plug_meta m;
    struct file f = make();
    for (size_t n = 0; n < sizeof(f); n++)
        ck_assert_int_eq(parse(&f, n, &m), ACD_EABI);
}
END_TEST

#define REFUSE(change)                                         \
    do {                                                       \
        struct plug_meta m_;                                   \
        struct file f = make();                                \
        change;                                                \
        ck_assert_int_eq(parse(&f, sizeof(f), &m_), ACD_EABI); \
    } while (0)

START_TEST(wrong_fields_are_refused)
{
    REFUSE(f.h.e_ident[EI_CLASS] = ELFCLASS32);
    REFUSE(f.h.e_ident[EI_DATA] ^= 3);
    REFUSE(f.h.e_type = ET_EXEC);
    REFUSE(f.h.e_shoff = UINT64_MAX - 8);
    REFUSE(f.h.e_shnum = 2);
    REFUSE(f.h.e_shnum = 65535);
    REFUSE(f.h.e_shentsize = 40);
    REFUSE(f.h.e_shstrndx = 3);
    REFUSE(f.s[1].sh_offset = UINT64_MAX);
    REFUSE(f.s[1].sh_size = UINT64_MAX);
    REFUSE(f.s[2].sh_type = SHT_PROGBITS);
    REFUSE(f.s[2].sh_name = UINT32_MAX);
    REFUSE(f.s[2].sh_name = 30);
    REFUSE(f.s[2].sh_offset = sizeof(f));
    REFUSE(f.s[2].sh_size = UINT64_MAX);
    REFUSE(f.note.namesz = UINT32_MAX);
    REFUSE(f.note.descsz = UINT32_MAX);
    REFUSE(f.note.descsz = 2);
    REFUSE(f.note.type = 2);
    REFUSE(f.note.vendor[0] = 'A');
    REFUSE(f.note.struct_size = 12);
    REFUSE(f.note.struct_size++);
    REFUSE(f.note.name[0] = '\0');
    REFUSE(memset(f.note.name, 'a', sizeof(f.note.name)));
    REFUSE(f.note.name[1] = '/');
    REFUSE(memset(f.note.version, '1', sizeof(f.note.version)));
    REFUSE(f.note.version[1] = '\n');
}
END_TEST

START_TEST(a_note_of_another_vendor_is_passed_over)
{
    struct {
        struct file f;
        char more[64];
    } two = {.f = make()};
    struct {
        uint32_t namesz, descsz, type;
        char name[4], desc[4];
    } other = {3, 1, 1, "GN", "x"};
    struct plug_meta m;
    acd_note own = two.f.note;
    char *at = (char *)&two.f.note;
    memcpy(at, &other, sizeof(other));
    memcpy(at + sizeof(other), &own, sizeof(own));
    two.f.s[2].sh_size = sizeof(other) + sizeof(own);
    ck_assert_int_eq(plug_meta_parse((acd_slice){&two, sizeof(two)}, &m, NULL), 0);
    ck_assert_str_eq(m.name, "some-name");
}
END_TEST

Suite *suite_meta(void);

Suite *
suite_meta(void)
{
    Suite *s = suite_create("meta");
    ADD_TESTS(s, "meta", a_good_file_is_read, every_shorter_file_is_refused, wrong_fields_are_refused,
              a_note_of_another_vendor_is_passed_over);
    return s;
}
