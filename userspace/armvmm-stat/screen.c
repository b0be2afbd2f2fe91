// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "screen.h"

/* DEC private modes 1049, the alternate screen, and 25, the cursor. */
#define SCREEN_ENTER	"\033[?1049h\033[?25l\033[H\033[J"
#define SCREEN_LEAVE	"\033[?25h\033[?1049l"

static struct {
	struct termios before;
	bool open;
} screen;

static void screen_write(const char *text, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(STDOUT_FILENO, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= n;
	}
}

int screen_open(void)
{
	struct termios raw;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &screen.before))
		return -ENOTTY;
	raw = screen.before;
	/* Signals by keys stay: Ctrl-C ends, Ctrl-Z stops. */
	raw.c_lflag &= ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw))
		return -errno;
	screen.open = true;
	screen_write(SCREEN_ENTER, strlen(SCREEN_ENTER));
	return 0;
}

void screen_close(void)
{
	if (!screen.open)
		return;
	screen.open = false;
	screen_write(SCREEN_LEAVE, strlen(SCREEN_LEAVE));
	tcsetattr(STDIN_FILENO, TCSADRAIN, &screen.before);
}

struct screen_size screen_size(void)
{
	struct winsize ws;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) || !ws.ws_col || !ws.ws_row)
		return (struct screen_size){ 80, 24 };
	return (struct screen_size){ ws.ws_col, ws.ws_row };
}

void screen_show(const char *text)
{
	unsigned int left = screen_size().rows;
	const char *end;

	screen_write("\033[H", 3);
	/* The last line has no line feed, which would move all up by one. */
	for (; *text && left; text = *end ? end + 1 : end, left--) {
		end = strchrnul(text, '\n');
		screen_write(text, end - text);
		screen_write("\033[K", 3);
		if (left > 1 && *end && end[1])
			screen_write("\r\n", 2);
	}
	screen_write("\033[J", 3);
}

int screen_key(void)
{
	unsigned char c;

	return read(STDIN_FILENO, &c, 1) == 1 ? c : -1;
}
