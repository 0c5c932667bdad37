package profiles

import (
	"fmt"
	"io"
	"strings"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/paths"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/platform"
)

// profileWhole prints each fact of the first profile, how sure it is, and its source.
func profileWhole(stdout, stderr io.Writer, found []align.Profile) error {
	p := found[0]
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %s\n\n", p.ID, p.Provider, p.Product)
	fact := func(name, value string, evidence align.Evidence) {
		if evidence != "" {
			value = fmt.Sprintf("%-30s  %s", value, evidence)
		}
		fmt.Fprintf(&b, "  %-18s %s\n", name, strings.TrimRight(value, " "))
	}
	fact("layer", p.Layer, "")
	if p.Side != "" {
		fact("limits", map[string]string{"client": "the connection from the client", "server": "the connection to the server"}[p.Side], "")
	}
	if p.Protocol != "" {
		fact("protocol", p.Protocol, "")
	}
	timeout := duration.Format(p.Timeout)
	switch {
	case p.Never:
		timeout = "never, unless it is set"
	case p.Timeout == 0 && p.TimeoutEvidence.Sure():
		timeout = "no default"
	case p.Timeout == 0:
		timeout = table.Unknown
	}
	fact(p.Kind.String(), timeout, p.TimeoutEvidence)
	fact("can be set", canBeSet(p), p.TimeoutEvidence)
	if p.HalfClosed > 0 {
		fact("half-closed", duration.Format(p.HalfClosed), p.HalfClosedEvidence)
	}
	probes := p.Refreshed.String()
	if p.Refreshed == platform.Unknown {
		probes = table.Unknown
	}
	fact("probes count", probes, p.RefreshedEvidence)
	if p.Sender != "" {
		fact("send them from", p.Sender, "")
	}
	expiry := paths.ExpiryText(p)
	if !p.Expiry.Known() {
		expiry = table.Unknown
	}
	fact("on expiry", expiry, p.ExpiryEvidence)
	fact("source", p.Source, "")
	if p.RefreshedSource != "" {
		fact("source on probes", p.RefreshedSource, "")
	}
	read := p.Read
	if read == "" {
		read = "no source was read"
	}
	fact("read", read, "")
	if p.Note != "" {
		fact("to know", p.Note, "")
	}
	if kinds := paths.Heartbeats(p); len(kinds) > 0 {
		b.WriteString("\nwhat keeps a connection, as probes do not\n")
		for _, k := range kinds {
			fmt.Fprintf(&b, "  - %s: %s\n", k.Name, k.How)
		}
	}
	if err := terminal.Fold(stdout, b.String(), terminal.Width(stdout)); err != nil {
		return err
	}
	var others []string
	for _, p := range found[1:] {
		others = append(others, p.ID)
	}
	if len(others) > 0 {
		terminal.Say(stderr, "note: other profiles: %s", strings.Join(others, ", "))
	}
	return nil
}

func canBeSet(p align.Profile) string {
	switch {
	case p.Settable == platform.No:
		return "no"
	case p.Min > 0 || p.Max > 0:
		return rangeCell(p)
	case p.Settable == platform.Yes:
		return "yes, the range is not known"
	}
	return table.Unknown
}
