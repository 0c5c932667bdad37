package demo

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
	"github.com/tcpkeepalive/keepalive/internal/duration"
)

// print writes the report for a person.
func (r *report) print(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "TCP keepalive on %s: asked for, and held by the kernel\n", r.Platform)
	for _, a := range r.Adapted {
		fmt.Fprintf(b, "adapted to this system: %s\n", a)
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(b, "warning: %s\n", warning)
	}
	var last *maker
	for i := range r.Sockets {
		s := &r.Sockets[i]
		if s.maker != last {
			last = s.maker
			fmt.Fprintf(b, "\n%s: %s\n", last.name, last.what)
		}
		s.print(b)
	}
	fmt.Fprintf(b, "\nss: %s\n", r.SS)
	exactly := "exactly what was asked"
	if slices.ContainsFunc(r.Sockets, func(s socket) bool { return s.Rounded }) {
		exactly = "what was asked, rounded up"
	}
	if r.OK {
		fmt.Fprintln(b, "ok: the library's sockets have "+exactly+"; package net replaced the rest by its 15 s, 15 s, 9")
	} else {
		fmt.Fprintln(b, "NOT ok: see the lines marked !!")
	}
	return terminal.Fold(w, b.String(), terminal.Width(w))
}

func (s *socket) print(w io.Writer) {
	asked := s.Asked
	if asked == "" {
		asked = "nothing"
	}
	fmt.Fprintf(w, "  %-8s %s -> %s\n", s.End, s.Local, s.Peer)
	fmt.Fprintf(w, "    asked   %s\n", asked)
	fmt.Fprintf(w, "    kernel  %v  %s\n", s.Settings.Settings, s.verdict())
	fmt.Fprintf(w, "    timer   %s\n", s.Timer)
	if s.SS != "" {
		fmt.Fprintf(w, "    ss      %s\n", s.SS)
	}
}

func (s *socket) verdict() string {
	switch {
	case !s.OK:
		return "!! expected " + s.Expected
	case s.Rounded:
		return "= as asked, rounded up"
	case !s.maker.net:
		return "= as asked"
	case s.maker.asks:
		return "< overwritten by package net"
	}
	return "< set by package net"
}

// String is the timer in words.
func (t timer) String() string {
	if t.Left == nil {
		return t.Kind + ": " + t.Unknown
	}
	if t.Kind == "off" {
		return t.Kind
	}
	return fmt.Sprintf("%s, fires in %s, %d probes unanswered", t.Kind, duration.Passing(t.left), t.Probes)
}
