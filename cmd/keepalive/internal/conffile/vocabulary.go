package conffile

import (
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tcpkeepalive/keepalive/internal/alike"
)

// Programs refuse words that they do not know, or read something else out of a file that is
// not theirs. A reader that passed over such words would find nothing wrong in any text. So
// each reader counts the words of a file, and says so of those that it does not know:
//   - a word that is nearly one of keepalive is a mistake;
//   - others are not known to be wrong: a later release, or a module, may have them. They
//     are reported together, as a part of the file that was not looked at;
//   - a file with not one word that is known is in another format.

//go:embed words/*.txt
var wordFiles embed.FS

// vocabulary returns a function that returns the words of a closed list, in lower case. The
// comments in words/NAME.txt say where they are from.
func vocabulary(name string) func() map[string]bool {
	return sync.OnceValue(func() map[string]bool {
		text, err := wordFiles.ReadFile("words/" + name + ".txt")
		if err != nil {
			panic(err) // it is in this program
		}
		known := map[string]bool{}
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "#") {
				for _, w := range strings.Fields(line) {
					known[w] = true
				}
			}
		}
		return known
	})
}

var (
	libpqWords      = vocabulary("libpq")
	postgresqlWords = vocabulary("postgresql")
	redisWords      = vocabulary("redis")
	sshWordList     = vocabulary("ssh")
	sshdWordList    = vocabulary("sshd")
)

// wordCount are the words of a file and of those that it includes.
type wordCount struct {
	known, near, unknown int
	at                   Place  // of the first that is not known
	first                string // "" if it cannot be shown
}

// word counts a word, which the format has, or which is near: it has a remark of its own, or is
// of an extension; or neither.
func (s *source) word(at Place, word string, known, near bool) {
	if !known && s.words.near+s.words.unknown == 0 {
		s.words.at = at
	}
	switch {
	case known:
		s.words.known++
	case near:
		s.words.near++
	default:
		if s.words.unknown++; s.words.unknown == 1 {
			s.words.at, s.words.first = at, shown(word)
		}
	}
}

var plainWord = pattern(`^[A-Za-z][A-Za-z0-9_.-]{0,39}$`)

// shown quotes a word if it looks like one: in the wrong format it may be anything, such as a
// URI with a password.
func shown(word string) string {
	if !plainWord().MatchString(word) {
		return ""
	}
	return fmt.Sprintf("%q", word)
}

// foreign refuses a file with not one word that the program has. If it looks like another
// format, few of them, or some that are near, do not save it.
func (s *source) foreign(program, other string) error {
	switch w := s.words; {
	case other != "" && w.known > 0 && w.known < w.unknown:
		return wrong(w.at, "words of %s, which most in this file are not", program)
	case w.known > 0 || w.unknown == 0 && (w.near == 0 || other == ""):
		return nil
	case w.first == "":
		return wrong(w.at, "words of %s, and this file has none", program)
	default:
		return wrong(w.at, "words of %s, and this file has none: %s is not one", program, w.first)
	}
}

// unknownWords remarks that there are words that were passed over.
func (s *source) unknownWords(program string) {
	w := s.words
	if w.unknown == 0 {
		return
	}
	text := "a word that is not known to this reader"
	if w.unknown > 1 {
		text = fmt.Sprintf("%d words that are not known to this reader", w.unknown)
	}
	switch {
	case w.first == "":
	case w.unknown == 1:
		text += ", " + w.first
	default:
		text += ", the first is " + w.first
	}
	s.remark(w.at, Unread, "%s: have %s check the file, which may refuse it", text, program)
}

// nearly reports whether a word that is not one of names is nearly one.
func nearly(word string, names ...string) bool {
	return !slices.Contains(names, word) && slices.ContainsFunc(names, func(n string) bool { return alike.Mistyped(word, n) })
}

// ErrEmpty is in the error of a [Document] whose file has nothing but blanks and comments.
var ErrEmpty = errors.New("has nothing")

// An emptyError says that a file has nothing to read.
type emptyError struct{ File, text string }

func (e *emptyError) Error() string {
	if e.File == "-" {
		return "standard input " + e.text
	}
	return e.File + " " + e.text
}

func (e *emptyError) Is(target error) bool { return target == ErrEmpty }

// readable returns an error for what is no text, or has nothing in it.
func (s *source) readable(comments string) error {
	switch {
	case strings.HasPrefix(s.Text, "\xff\xfe"), strings.HasPrefix(s.Text, "\xfe\xff"):
		return fmt.Errorf("%s is UTF-16: convert it to UTF-8", s.Name)
	case strings.Contains(s.Text, "\x00"):
		return fmt.Errorf("%s is binary, and no configuration", s.Name)
	}
	found := false
	s.lines(comments, func(int, string) error { found = true; return nil })
	switch {
	case found:
		return nil
	case strings.TrimSpace(s.Text) == "":
		return &emptyError{s.Name, "is empty"}
	}
	return &emptyError{s.Name, "has nothing but comments"}
}
