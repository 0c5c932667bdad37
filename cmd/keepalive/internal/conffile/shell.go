package conffile

import (
	"fmt"
	"strings"
)

// A word is one of a shell command, and its line.
type word struct {
	text string
	line int
}

// shell splits a text into commands and their words, as far as a command line of docker
// needs it: quotes, backslashes, comments, ; & and |. Nothing is expanded.
func (s *source) shell() (commands [][]word, err error) {
	var words []word
	var w strings.Builder
	line, started, inWord := 1, 1, false
	flush := func() {
		if inWord {
			words = append(words, word{w.String(), started})
		}
		w.Reset()
		inWord = false
	}
	begin := func() {
		if !inWord {
			started, inWord = line, true
		}
	}
	text := s.Text
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ' ', '\t', '\r':
			flush()
		case '\n', ';', '&', '|':
			flush()
			if len(words) > 0 {
				commands = append(commands, words)
				words = nil
			}
			if c == '\n' {
				line++
			}
		case '#':
			if inWord {
				w.WriteByte(c)
				continue
			}
			if i+1 < len(text) && text[i+1] == ' ' && len(words) == 0 && dockerLike().MatchString(text[i:lineEnd(text, i)]) {
				continue // a prompt of root
			}
			i = lineEnd(text, i) - 1
		case '\\':
			if i++; i < len(text) && text[i] == '\n' {
				line++
			} else if i < len(text) {
				begin()
				w.WriteByte(text[i])
			}
		case '\'', '"':
			begin()
			end := i + 1
			for end < len(text) && text[end] != c {
				if c == '"' && text[end] == '\\' && end+1 < len(text) {
					end++
				}
				w.WriteByte(text[end])
				if text[end] == '\n' {
					line++
				}
				end++
			}
			if end >= len(text) {
				return nil, wrong(s.at(started), "the end of the quotes that start here: %s", fmt.Sprintf("%c", c))
			}
			i = end
		default:
			begin()
			w.WriteByte(c)
		}
	}
	flush()
	if len(words) > 0 {
		commands = append(commands, words)
	}
	return commands, nil
}

// lineEnd returns the offset of the end of the line.
func lineEnd(text string, i int) int {
	if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(text)
}
