/*
 * Starts PostgreSQL in a container with no shell: `start postgres [ARGUMENT…]`.
 *
 * Where $PGDATA is not there yet, it is made: from /template, which initdb wrote while the image was
 * built, by the statements in /docker-entrypoint-initdb.d. A file there is named `10-DATABASE.sql`
 * after the database that it is for, and they run in the order of their names. In a file, an empty
 * line ends a statement, and :'NAME' is the variable NAME of the environment, quoted.
 *
 * The statements run without a network, by the server's single-user mode, and beside $PGDATA, which
 * gets its name when all of them have succeeded: what was left half made is made anew.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEMPLATE "/template"
#define INITIALISATION "/docker-entrypoint-initdb.d"

enum { OPEN_DIRECTORIES = 8 };

static char making[PATH_MAX];

static int removed(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status, (void)kind, (void)at;
    if (remove(path) < 0)
        err(1, "cannot remove %s", path);
    return 0;
}

/* PostgreSQL insists on files and directories that are its user's alone. */
static int copied(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    char target[PATH_MAX];

    (void)at;
    if (snprintf(target, sizeof target, "%s%s", making, path + strlen(TEMPLATE)) >= PATH_MAX)
        errx(1, "too long a name: %s", path);
    if (kind == FTW_D) {
        if (mkdir(target, 0700) < 0)
            err(1, "cannot make %s", target);
        return 0;
    }
    int from = open(path, O_RDONLY), to = open(target, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (from < 0 || to < 0)
        err(1, "cannot copy %s to %s", path, target);
    for (off_t left = status->st_size; left > 0;) {
        char block[65536];
        ssize_t length = read(from, block, sizeof block);
        if (length <= 0 || write(to, block, length) != length)
            err(1, "cannot copy %s to %s", path, target);
        left -= length;
    }
    close(from);
    close(to);
    return 0;
}

static const char *text_of(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "r");

    if (!file)
        err(1, "cannot read %s", path);
    ssize_t length = getdelim(&text, &size, '\0', file);
    if (ferror(file))
        err(1, "cannot read %s", path);
    fclose(file);
    return length > 0 ? text : "";
}

/* Write a file's statements, each :'NAME' in them as the quoted value of NAME. */
static void write_statements(FILE *server, const char *path)
{
    for (const char *at = text_of(path); *at;) {
        char name[64];
        int length = 0;

        if (sscanf(at, ":'%63[A-Z0-9_]'%n", name, &length) < 1 || !length) {
            fputc(*at++, server);
            continue;
        }
        const char *value = getenv(name);
        if (!value || !*value)
            errx(1, "%s is empty, and %s needs it", name, path);
        fputc('\'', server);
        for (; *value; value++)
            fputs(*value == '\'' ? "''" : (char[]){*value, '\0'}, server);
        fputc('\'', server);
        at += length;
    }
}

/* Run a file's statements in a database; the first that fails ends the start. */
static void run(const char *path, const char *database)
{
    int ends[2], status;

    if (pipe2(ends, O_CLOEXEC) < 0)
        err(1, "cannot make a pipe");
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[0], STDIN_FILENO);
        dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO); /* its prompts */
        /* No password reaches the log, not even by a statement that fails. */
        execlp("postgres", "postgres", "--single", "-j", "-D", making, "-c", "exit_on_error=on",
               "-c", "log_min_error_statement=panic", "-c", "log_checkpoints=off", database, NULL);
        err(1, "cannot run postgres");
    }
    close(ends[0]);
    FILE *server = fdopen(ends[1], "w");
    write_statements(server, path);
    fclose(server);
    if (child < 0 || waitpid(child, &status, 0) < 0)
        err(1, "cannot run postgres");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        errx(1, "%s has failed", path);
}

static int is_statements(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');

    return end && strcmp(end, ".sql") == 0 && isdigit((unsigned char)entry->d_name[0]) &&
           strchr(entry->d_name, '-');
}

static void make(const char *data)
{
    struct dirent **files;

    if (snprintf(making, sizeof making, "%s.making", data) >= PATH_MAX)
        errx(1, "too long a name: %s", data);
    if (nftw(making, removed, OPEN_DIRECTORIES, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
        err(1, "cannot remove %s", making);
    if (nftw(TEMPLATE, copied, OPEN_DIRECTORIES, FTW_PHYS) < 0)
        err(1, "cannot copy " TEMPLATE);
    int count = scandir(INITIALISATION, &files, is_statements, alphasort);
    if (count < 0 && errno != ENOENT)
        err(1, "cannot read " INITIALISATION);
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        char *database = strchr(files[i]->d_name, '-') + 1;

        snprintf(path, sizeof path, INITIALISATION "/%s", files[i]->d_name);
        database[strlen(database) - strlen(".sql")] = '\0';
        fprintf(stderr, "start: running %s in %s\n", path, database);
        run(path, database);
    }
    sync();
    if (rename(making, data) < 0)
        err(1, "cannot rename %s", making);
}

int main(int count, char **arguments)
{
    const char *data = getenv("PGDATA");

    if (count < 2 || !data)
        errx(2, "usage: PGDATA=DIRECTORY start postgres [ARGUMENT...]");
    signal(SIGPIPE, SIG_IGN); /* a server that ends early is told by its status */
    if (access(data, F_OK) < 0)
        make(data);
    signal(SIGPIPE, SIG_DFL);
    execvp(arguments[1], arguments + 1);
    err(1, "cannot run %s", arguments[1]);
}
