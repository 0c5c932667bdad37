package check

import (
	"fmt"
	"strings"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/platform"
)

// printDocument writes what a file means, and what is to be said about it.
func printDocument(b *strings.Builder, doc *conffile.Document, judged []judgement) {
	fmt.Fprintf(b, "%s (%s)\n", doc.File, doc.Format)
	at := func(p conffile.Place) string {
		if p.File == doc.File {
			return fmt.Sprintf("line %d", p.Line)
		}
		return p.String()
	}
	for _, j := range judged {
		fmt.Fprintf(b, "\n  %s, %s\n    %s\n", j.Name, at(j.Place), j.Config)
		for _, s := range j.Settings {
			fmt.Fprintf(b, "      %-18s  %s\n", settingText(s), settingOrigin(s, at))
		}
		if j.Heartbeat > 0 {
			fmt.Fprintf(b, "      %-18s  %s\n", "heartbeat="+j.Heartbeat.String(), j.HeartbeatText)
		}
		if j.Closing.After > 0 {
			fmt.Fprintf(b, "      %-18s  %s\n", "closes="+duration.Seconds(j.Closing.After), j.Closing.Text)
		}
		if j.verdict != "" {
			fmt.Fprintf(b, "    %s: %s\n", j.verdict, j.reason)
		}
	}
	for _, part := range []struct {
		title string
		has   func(conffile.Kind) bool
	}{
		{"mistakes", conffile.Kind.Mistake},
		{"not looked at", func(k conffile.Kind) bool { return k == conffile.Unread }},
		{"to know", func(k conffile.Kind) bool { return k == conffile.Note }},
	} {
		title := "\n  " + part.title + "\n"
		for _, r := range doc.All() {
			if part.has(r.Kind) {
				fmt.Fprintf(b, "%s    %s: %s\n", title, at(r.Place), r.Text)
				title = ""
			}
		}
	}
	b.WriteString("\n")
}

// settingText is "idle=60s", as in a Config; an inherited value has only a name.
func settingText(s conffile.Setting) string {
	switch {
	case s.Value == "":
		return s.Option.String()
	case s.Option == platform.KeepAlive:
		return s.Value
	}
	return s.Option.String() + "=" + s.Value
}

func settingOrigin(s conffile.Setting, at func(conffile.Place) string) string {
	switch {
	case s.Line == 0:
		return s.By
	case s.By != "":
		return fmt.Sprintf("%s: %s (%s)", at(s.Place), s.Text, s.By)
	}
	return at(s.Place) + ": " + s.Text
}
