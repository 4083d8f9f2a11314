#include "plug/meta.h"

#include <elf.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"

static const char section_name[] = ".note.anchord";

const char *
plug_kind_name(uint32_t kind)
{
    static const char *const names[] = {"unknown", "storage", "validator", "quota"};
    return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : names[0];
}

int
plug_name_valid(const char *name)
{
    size_t n = name ? strnlen(name, PLUG_NAME_MAX + 1) : 0;
    if (n == 0 || n > PLUG_NAME_MAX)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') || name[i] == '-'))
            return 0;
    return 1;
}

/* A part of the file, or {NULL, 0} when it does not lie inside. */
static acd_slice
part(acd_slice file, uint64_t at, uint64_t len)
{
    if (at > file.len || len > file.len - at)
        return (acd_slice){NULL, 0};
    return (acd_slice){(const char *)file.ptr + at, (size_t)len};
}

/* Files are not aligned for their structures, so headers are copied out. */
static int
section_at(acd_slice file, const Elf64_Ehdr *h, unsigned i, Elf64_Shdr *ret)
{
    acd_slice table = part(file, h->e_shoff, (uint64_t)h->e_shnum * sizeof(*ret));
    if (!table.ptr || i >= h->e_shnum)
        return 0;
    memcpy(ret, (const char *)table.ptr + i * sizeof(*ret), sizeof(*ret));
    return 1;
}

static int
header_read(acd_slice file, Elf64_Ehdr *ret)
{
    if (file.len < sizeof(*ret))
        return 0;
    memcpy(ret, file.ptr, sizeof(*ret));
    return memcmp(ret->e_ident, ELFMAG, SELFMAG) == 0 && ret->e_ident[EI_CLASS] == ELFCLASS64 &&
           ret->e_ident[EI_DATA] == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB) &&
           ret->e_type == ET_DYN;
}

/* The contents of our note section, or {NULL, 0}. */
static acd_slice
section_find(acd_slice file, const Elf64_Ehdr *h)
{
    Elf64_Shdr names, s;
    acd_slice none = {NULL, 0};
    if (h->e_shentsize != sizeof(Elf64_Shdr) || !section_at(file, h, h->e_shstrndx, &names))
        return none;
    acd_slice text = part(file, names.sh_offset, names.sh_size);
    for (unsigned i = 0; text.ptr && i < h->e_shnum; i++) {
        if (!section_at(file, h, i, &s) || s.sh_type != SHT_NOTE)
            continue;
        acd_slice name = part(text, s.sh_name, sizeof(section_name));
        if (name.ptr && memcmp(name.ptr, section_name, sizeof(section_name)) == 0)
            return part(file, s.sh_offset, s.sh_size);
    }
    return none;
}

static uint64_t
align4(uint64_t n)
{
    return (n + 3) & ~(uint64_t)3;
}

/* The descriptor of the first note of our vendor and type, or {NULL, 0}. */
static acd_slice
note_find(acd_slice notes)
{
    uint64_t at = 0;
    for (;;) {
        Elf64_Nhdr n;
        acd_slice head = part(notes, at, sizeof(n));
        if (!head.ptr)
            return head;
        memcpy(&n, head.ptr, sizeof(n));
        acd_slice vendor = part(notes, at + sizeof(n), n.n_namesz);
        acd_slice desc = part(notes, at + sizeof(n) + align4(n.n_namesz), n.n_descsz);
        if (!vendor.ptr || !desc.ptr)
            return (acd_slice){NULL, 0};
        if (n.n_type == ACD_NOTE_TYPE && vendor.len == sizeof(ACD_NOTE_VENDOR) &&
            memcmp(vendor.ptr, ACD_NOTE_VENDOR, vendor.len) == 0)
            return desc;
        at += sizeof(n) + align4(n.n_namesz) + align4(n.n_descsz);
    }
}

static int
version_valid(const char *v)
{
    if (!v[0])
        return 0;
    for (; *v; v++)
        if (*v <= ' ' || *v > '~')
            return 0;
    return 1;
}

int
plug_meta_parse(acd_slice file, struct plug_meta *ret, acd_err *err)
{
    enum { HEAD = offsetof(acd_note, struct_size), SIZE = sizeof(acd_note) - HEAD };
    Elf64_Ehdr h;
    acd_note note = {0};
    if (!header_read(file, &h))
        return err_set(err, ACD_EABI, "not a 64-bit ELF shared object for this machine");
    acd_slice notes = section_find(file, &h);
    if (!notes.ptr)
        return err_set(err, ACD_EABI, "not a plugin: it has no section %s", section_name);
    acd_slice desc = note_find(notes);
    if (!desc.ptr)
        return err_set(err, ACD_EABI, "not a plugin: its section %s holds no plugin note", section_name);
    if (desc.len >= sizeof(note.struct_size))
        memcpy(&note.struct_size, desc.ptr, sizeof(note.struct_size));
    if (note.struct_size < SIZE || note.struct_size > desc.len)
        return err_set(err, ACD_EABI, "its plugin note has %zu bytes and says %u, at least %d expected",
                       desc.len, note.struct_size, SIZE);
    memcpy((char *)&note + HEAD, desc.ptr, SIZE);
    if (!memchr(note.name, '\0', sizeof(note.name)) || !plug_name_valid(note.name))
        return err_set(err, ACD_EABI, "its plugin note has no valid name");
    if (!memchr(note.version, '\0', sizeof(note.version)) || !version_valid(note.version))
        return err_set(err, ACD_EABI, "its plugin note has no valid version");
    *ret = (struct plug_meta){.major = note.major, .minor = note.minor, .kind = note.kind};
    memcpy(ret->name, note.name, sizeof(ret->name));
    memcpy(ret->version, note.version, sizeof(ret->version));
    return 0;
}

int
plug_meta_read(const char *path, struct plug_meta *ret, acd_err *err)
{
    struct buf b = BUF_INIT(PLUG_FILE_MAX);
    int rc = io_read_file(path, &b, err);
    if (rc == 0 && (rc = plug_meta_parse((acd_slice){b.data, b.len}, ret, err)) < 0)
        (void)err_context(err, rc, "%s", path);
    buf_done(&b);
    return rc;
}
