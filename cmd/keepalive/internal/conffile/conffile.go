// Package conffile reads the configurations of other programs, and says what TCP
// keepalive they mean: of which connections, with which settings, who sets each of
// them, and which mistakes are in them.
package conffile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A File is the text of a configuration, and the name that messages have for it.
type File struct {
	Name, Text string
	// Here says that the text was read from the file of that name on this machine, where
	// a directory of files to include that is beside it can be listed.
	Here bool

	marked bool // it began with a byte order mark, which Text has no longer
}

const byteOrderMark = "\ufeff"

// unmarked returns files without the byte order marks that editors of Windows write.
func unmarked(files []File) []File {
	files = slices.Clone(files)
	for i, f := range files {
		files[i].Text, files[i].marked = strings.CutPrefix(f.Text, byteOrderMark)
	}
	return files
}

// A Place is a line of a file.
type Place struct {
	File string
	Line int // from 1
}

// String returns "nginx.conf:12".
func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// A Document is what a file says about keepalive.
type Document struct {
	File   string
	Format string // as in Formats; "" if it was not recognised
	Legs   []Leg
	// Remarks are about the file as a whole; those of a leg are in the leg.
	Remarks []Remark
	// Err says why the file could not be read: where its syntax is broken, and what was
	// expected there, that its format cannot be told, or that there is nothing in it (ErrEmpty).
	Err error
}

// Empty reports that the file says nothing about keepalive, or nothing that would be of
// any connection: there may be notes.
func (d *Document) Empty() bool {
	return d.Err == nil && len(d.Legs) == 0 && !slices.ContainsFunc(d.Remarks, func(r Remark) bool { return r.Kind != Note })
}

// LeaveOutImplied removes the legs of which the file says nothing.
func (d *Document) LeaveOutImplied() {
	d.Legs = slices.DeleteFunc(d.Legs, func(l Leg) bool { return l.Implied })
}

// All returns the remarks about the file and those about its legs, each once: mistakes of
// the unit first, then by line.
func (d *Document) All() []Remark {
	all := slices.Clone(d.Remarks)
	for _, l := range d.Legs {
		all = append(all, l.Remarks...)
	}
	seen := map[Remark]bool{}
	all = slices.DeleteFunc(all, func(r Remark) bool {
		before := seen[r]
		seen[r] = true
		return before
	})
	slices.SortStableFunc(all, func(a, b Remark) int {
		switch unit := a.Kind == Unit; {
		case unit == (b.Kind == Unit):
			return byLine(a, b)
		case unit:
			return -1
		default:
			return 1
		}
	})
	return all
}

// A Remark is something to know about a line.
type Remark struct {
	Place
	Kind Kind
	Text string
}

// A Kind says what a Remark is.
type Kind string

// The kinds of remarks. All but Note and Unread are mistakes: legal or not, they are
// hardly what was meant.
const (
	Unit        Kind = "unit"         // milliseconds for seconds, or the reverse
	Off         Kind = "off"          // times are set while keepalive is off
	Cut         Kind = "user timeout" // the user timeout ends the connection before the count
	Refused     Kind = "refused"      // the program or the kernel refuses the value
	Ignored     Kind = "ignored"      // the program does not use the value
	OneLeg      Kind = "one leg"      // a proxy probes on one of its sides only
	Ends        Kind = "ends it"      // the program ends connections that are alive
	UnknownWord Kind = "unknown word" // the program has no such setting
	Note        Kind = "note"         // good to know
	Unread      Kind = "unread"       // a part of the configuration that was not looked at
)

// Mistake reports whether a remark of this kind is about a mistake.
func (k Kind) Mistake() bool { return k != Note && k != Unread }

// A syntaxError says where a file breaks the syntax of its format, and what was
// expected there.
type syntaxError struct {
	Place
	Format string
	Want   string
	Like   string // the format that the file seems to be in; "" if none does
}

// Error returns "nginx.conf:12: not nginx: want a ; after the directive".
func (e *syntaxError) Error() string {
	text := fmt.Sprintf("%s: not %s: want %s", e.Place, e.Format, e.Want)
	if e.Like != "" {
		text += fmt.Sprintf("; it looks like %s: --format %s", e.Like, e.Like)
	}
	return text
}

// A notRecognisedError says that the format of a file cannot be told from its name and
// its content.
type notRecognisedError struct {
	File     string
	Possible []string // more than one if several formats are possible
}

// Error names the formats to choose from.
func (e *notRecognisedError) Error() string {
	if len(e.Possible) > 0 {
		return fmt.Sprintf("%s can be %s: say which with --format", e.File, strings.Join(e.Possible, " or "))
	}
	return fmt.Sprintf("%s: its format is not recognised: say with --format which it is: %s", e.File, strings.Join(Names(), ", "))
}

// A source is a file that is read, with the other files, which it may include.
type source struct {
	File
	others []File
	used   includes
	whole  bool // all files that are included are among the others
	doc    *Document
	words  *wordCount
}

// Read reads files in a format, "" to recognise that of each. There is a Document for
// each file, except for those that another one includes. The files may include each
// other; files that are not given are never opened, because a configuration is often
// not that of this machine.
func Read(files []File, format string) []*Document {
	var docs []*Document
	used := includes{}
	files = unmarked(files)
	for _, f := range files {
		parts := []File{f}
		if dump := nginxDump(f); dump != nil {
			parts = dump
		}
		others := append(slices.Clone(parts[1:]), files...)
		docs = append(docs, read(parts[0], others, format, used, len(parts) > 1 || parts[0] != f))
	}
	return slices.DeleteFunc(docs, func(d *Document) bool { return used.has(d.File) })
}

func read(f File, others []File, format string, used includes, whole bool) *Document {
	doc := &Document{File: f.Name}
	s := &source{File: f, others: others, used: used, whole: whole, doc: doc, words: new(wordCount)}
	fm, err := recognise(f, format)
	if fm != nil {
		doc.Format = fm.Name
	}
	if unreadable := s.readable(fm.comments()); unreadable != nil {
		doc.Err = unreadable
		return doc
	}
	if err != nil {
		doc.Err = err
		return doc
	}
	err = fm.read(s)
	program := cmp.Or(fm.program, fm.Name)
	if err == nil {
		err = s.foreign(program, fm.other(f))
	}
	if err != nil {
		var syntax *syntaxError
		if errors.As(err, &syntax) {
			syntax.Format, syntax.Like = fm.Name, fm.other(f)
		}
		return &Document{File: f.Name, Format: fm.Name, Err: err}
	}
	if !fm.skipsMark() {
		s.mark()
	}
	if fm.Name != "libpq" { // where each of them has a remark of its own
		s.unknownWords(program)
	}
	return doc
}

// mark remarks on a byte order mark.
func (s *source) mark() {
	if s.marked {
		s.remark(s.at(1), Refused, "the file begins with a byte order mark, which belongs to its first word there: save it as UTF-8 without BOM")
	}
}

func byLine(a, b Remark) int { return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line) }

func (s *source) at(line int) Place { return Place{s.Name, line} }

// remark adds a remark about the file as a whole.
func (s *source) remark(at Place, kind Kind, format string, args ...any) {
	s.doc.Remarks = append(s.doc.Remarks, Remark{at, kind, fmt.Sprintf(format, args...)})
}

// add adds a finished leg.
func (s *source) add(l *leg) { s.doc.Legs = append(s.doc.Legs, l.finish()) }

func wrong(at Place, format string, args ...any) error {
	return &syntaxError{Place: at, Want: fmt.Sprintf(format, args...)}
}

// lines calls f for each line that is neither empty nor a comment, trimmed, with its
// number. A comment starts with one of these characters.
func (s *source) lines(comment string, f func(line int, text string) error) error {
	n := 0
	for text := range strings.Lines(s.Text) {
		n++
		text = strings.TrimSpace(text)
		if text == "" || strings.IndexByte(comment, text[0]) >= 0 {
			continue
		}
		if err := f(n, text); err != nil {
			return err
		}
	}
	return nil
}
