// SPDX-License-Identifier: GPL-2.0-only
#include "control/splitter.h"

_Static_assert(SPLITTER_MAX_DEPTH <= 64, "curly has a bit for each depth");

static void splitter_begin(struct splitter *s)
{
	s->length = 0;
	s->depth = 0;
	s->curly = 0;
	s->done = s->in_string = s->escaped = false;
}

/* JSON's white space (RFC 8259, 2). */
static bool splitter_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static enum splitter_result splitter_open(struct splitter *s, bool curly)
{
	if (s->depth == SPLITTER_MAX_DEPTH)
		return SPLITTER_TOO_DEEP;
	s->curly &= ~(1ull << s->depth);
	s->curly |= (uint64_t)curly << s->depth++;
	return SPLITTER_MORE;
}

static enum splitter_result splitter_close(struct splitter *s, bool curly)
{
	if ((s->curly >> (s->depth - 1) & 1) != curly)
		return SPLITTER_BROKEN;
	return --s->depth ? SPLITTER_MORE : SPLITTER_TEXT;
}

/* A string may not hold a control character (7): so a line's end also ends a stray quote. */
static enum splitter_result splitter_string(struct splitter *s, char c)
{
	if ((unsigned char)c < ' ')
		return SPLITTER_BROKEN;
	if (s->escaped)
		s->escaped = false;
	else if (c == '\\')
		s->escaped = true;
	else if (c == '"')
		s->in_string = false;
	return SPLITTER_MORE;
}

/* Takes one more byte of a text. Only objects and arrays count as texts. */
static enum splitter_result splitter_byte(struct splitter *s, char c)
{
	if (s->in_string)
		return splitter_string(s, c);
	if (!s->depth && c != '{' && c != '[')
		return SPLITTER_BROKEN;
	if ((unsigned char)c < ' ' && !splitter_is_blank(c))
		return SPLITTER_BROKEN;
	switch (c) {
	case '{':
	case '[':
		return splitter_open(s, c == '{');
	case '}':
	case ']':
		return splitter_close(s, c == '}');
	case '"':
		s->in_string = true;
	}
	return SPLITTER_MORE;
}

size_t splitter_feed(struct splitter *s, const char *data, size_t len,
		     enum splitter_result *result)
{
	*result = SPLITTER_MORE;
	if (s->done)
		splitter_begin(s);
	for (size_t i = 0; i < len; i++) {
		char c = data[i];

		if (s->skipping) {
			s->skipping = c != '\n';
			continue;
		}
		if (!s->length && splitter_is_blank(c))
			continue;
		*result = SPLITTER_TOO_LONG;
		if (s->length < SPLITTER_MAX_LENGTH)
			*result = splitter_byte(s, c);
		s->text[s->length] = c;
		s->length += s->length < SPLITTER_MAX_LENGTH;
		if (*result == SPLITTER_MORE)
			continue;
		s->done = true;
		s->skipping = *result != SPLITTER_TEXT && c != '\n';
		s->text[s->length] = '\0';
		return i + 1;
	}
	return len;
}
