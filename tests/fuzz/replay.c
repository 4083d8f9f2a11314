/*
 * Plain driver for fuzz targets: runs every file of the folders and files given through the target, in name
 * order, so that a corpus is a regression test on any compiler. An input lives in a block of exactly its
 * size, so that AddressSanitizer sees a read one byte beyond it. No input at all is a failure: a corpus that
 * was lost must not look like a corpus that passed.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A path is longer than this only by mistake. */
#define PATH_ROOM 4096
#define INPUT_MAX (64l << 20)

static unsigned long inputs;

static int
replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    long size = -1;
    if (f && fseek(f, 0, SEEK_END) == 0)
        size = ftell(f);
    if (size < 0 || size > INPUT_MAX || fseek(f, 0, SEEK_SET) != 0) {
        fprintf(stderr, "%s: cannot be read: %s\n", path, strerror(errno));
        if (f)
            (void)fclose(f);
        return -1;
    }
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    int rc = data && fread(data, 1, (size_t)size, f) == (size_t)size ? 0 : -1;
    (void)fclose(f);
    if (rc == 0) {
        (void)LLVMFuzzerTestOneInput(data, (size_t)size);
        inputs++;
    } else {
        fprintf(stderr, "%s: cannot be read\n", path);
    }
    free(data);
    return rc;
}

static int
is_visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static int
replay_dir(const char *path)
{
    struct dirent **entries;
    int rc = 0, n = scandir(path, &entries, is_visible, alphasort);
    if (n < 0) {
        fprintf(stderr, "%s: cannot be listed: %s\n", path, strerror(errno));
        return -1;
    }
    for (int i = 0; i < n; i++) {
        char name[PATH_ROOM];
        int len = snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
        if (len < 0 || (size_t)len >= sizeof(name) || replay_file(name) < 0)
            rc = -1;
        free(entries[i]);
    }
    free(entries);
    return rc;
}

int
main(int argc, char **argv)
{
    int rc = 0;
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
            rc |= replay_dir(argv[i]);
        else
            rc |= replay_file(argv[i]);
    }
    printf("%lu inputs replayed\n", inputs);
    if (inputs == 0)
        fprintf(stderr, "no input was found\n");
    return rc == 0 && inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
