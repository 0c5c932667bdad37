// Package exit has the exit codes, and the errors that lead to them.
package exit

import (
	"errors"
	"io"
	"regexp"
	"slices"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
)

// Exit codes, the same for every command.
const (
	OK       = 0
	Problems = 1
	Usage    = 2
	Denied   = 3
	Nothing  = 4
	Unknown  = 5
)

// Codes is the part of every command's help about them. docs/commands.md has the same.
const Codes = `Exit codes, the same for every command:
  0  looked at everything that was asked for, and all of it is right
  1  a problem was found, or something failed
  2  wrong use or input
  3  something could not be looked at for lack of permission
  4  nothing matched what was asked for
  5  not known: a path, settings, an assumption
Where several apply, the first of 2, 1, 3, 5, 4 is taken.`

// order is from the code that decides to the one that gives way to all others.
var order = [...]int{Usage, Problems, Denied, Unknown, Nothing}

// A coded error has an exit code of its own.
type coded struct {
	error
	code int
}

func (e coded) Unwrap() error { return e.error }

// UsageError is a mistake in the command line, or input that this system cannot honour.
func UsageError(err error) error { return coded{err, Usage} }

// DeniedError is about what the system does not permit.
func DeniedError(err error) error { return coded{err, Denied} }

// NothingError says that nothing matched.
func NothingError(err error) error { return coded{err, Nothing} }

// UnknownError is about what cannot be known.
func UnknownError(err error) error { return coded{err, Unknown} }

// A printed error decides the exit code; the command has printed what it says.
type printed struct{ error }

func (e printed) Unwrap() error { return e.error }

// Said is for an error that the command has printed: it decides the exit code only.
func Said(err error) error { return printed{err} }

// ErrProblems ends a command that has printed the problems it found.
var ErrProblems = Said(errors.New("problems found"))

// Code is what an error, which may be several joined, means for the shell.
func Code(err error) int {
	if err == nil {
		return OK
	}
	var found [len(order) + 1]bool
	mark(err, &found)
	for _, code := range order {
		if found[code] {
			return code
		}
	}
	return Problems
}

// mark notes the code of each error that err is made of.
func mark(err error, found *[len(order) + 1]bool) {
	switch e := err.(type) {
	case coded:
		found[e.code] = true
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			mark(err, found)
		}
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			mark(inner, found)
			return
		}
		found[Problems] = true
	default:
		found[Problems] = true
	}
}

// severalErrors are printed on a line each.
type severalErrors []error

func (e severalErrors) Error() string   { return errors.Join(e...).Error() }
func (e severalErrors) Unwrap() []error { return e }

// Join makes one of those errors that are not nil, nil if all are. errors.Join
// would not do: its result cannot be told from that of fmt.Errorf, which is one
// sentence about several causes.
func Join(errs ...error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	return severalErrors(errs)
}

// library is the name of a package of the library at the beginning of its error, which
// says nothing to who has typed a command.
var library = regexp.MustCompile(`(^|: )(?:(?:align|dialer|inspect|listener|platform|sockopt): )+`)

// Text returns what an error says, without the names of the library's packages.
func Text(err error) string { return library.ReplaceAllString(err.Error(), "$1") }

// Print prints what no command has printed yet, a line for each of several.
// A peer may have had a part in it: its certificate has names.
func Print(w io.Writer, err error) {
	switch e := err.(type) {
	case nil, printed:
	case severalErrors:
		for _, err := range e {
			Print(w, err)
		}
	default:
		terminal.Say(w, "keepalive: %s", terminal.PrintableLines(Text(err)))
	}
}
