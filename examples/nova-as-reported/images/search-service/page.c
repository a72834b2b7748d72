/*
 * An HTTP server with one page, `/`, for a container with nothing else in it: `page [PORT]`.
 *
 * It answers one request a connection, each in a process of its own, so that a client that says
 * nothing holds up nobody else. Any other page is 404; what is no request for a page is 400.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PORT = 80, BACKLOG = 128, IDLE_SECONDS = 10 };

static const char *status_of(const char *request)
{
    char method[8], path[1024];

    if (sscanf(request, "%7s %1023s", method, path) != 2)
        return "400 Bad Request";
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return "405 Method Not Allowed";
    path[strcspn(path, "?")] = '\0';
    return strcmp(path, "/") == 0 ? "200 OK" : "404 Not Found";
}

static void answer(int connection)
{
    struct timeval idle = {.tv_sec = IDLE_SECONDS};
    char request[4096], head[256], body[64];
    size_t length = 0;

    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle);
    while (length < sizeof request - 1) {
        ssize_t more = read(connection, request + length, sizeof request - 1 - length);
        if (more <= 0)
            return; /* whoever only looks whether the port is open says nothing */
        length += more;
        request[length] = '\0';
        if (strstr(request, "\r\n\r\n") || strstr(request, "\n\n"))
            break;
    }
    const char *status = status_of(request);
    int body_length = snprintf(body, sizeof body, "%s\n", status);
    int head_length = snprintf(head, sizeof head,
                               "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
                               "Connection: close\r\n\r\n", status, body_length);
    if (write(connection, head, head_length) < 0)
        return;
    if (strncmp(request, "HEAD", 4) != 0 && write(connection, body, body_length) < 0)
        return;
    shutdown(connection, SHUT_WR);
}

static void end(int signal)
{
    (void)signal;
    _exit(0);
}

int main(int count, char **arguments)
{
    int port = count > 1 ? atoi(arguments[1]) : PORT;
    int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int family = AF_INET6, on = 1, off = 0;

    if (listener < 0) { /* a kernel without IPv6 */
        family = AF_INET;
        listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    }
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr *address = family == AF_INET6 ? (void *)&six : (void *)&four;
    socklen_t size = family == AF_INET6 ? sizeof six : sizeof four;

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == AF_INET6)
        setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(listener, address, size) < 0 || listen(listener, BACKLOG) < 0) {
        perror("page: cannot listen");
        return 1;
    }
    /* The first process of a container has no default actions for signals. */
    signal(SIGTERM, end);
    signal(SIGINT, end);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN); /* the kernel buries the children */
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0)
            continue;
        pid_t child = fork();
        if (child == 0) {
            close(listener);
            answer(connection);
            _exit(0);
        }
        close(connection);
    }
}
