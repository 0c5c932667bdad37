package align

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/platform"
)

var update = flag.Bool("update", false, "write docs/profiles.md")

const page = "../docs/profiles.md"

// TestProfilesPage: docs/profiles.md has the profiles as they are. go generate ./align
// writes it.
func TestProfilesPage(t *testing.T) {
	t.Parallel()
	want := profilesPage()
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(want), 0o644))
	}
	got, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.True(t, want == strings.ReplaceAll(string(got), "\r\n", "\n"), "docs/profiles.md is stale: go generate ./align")
}

// TestPagesCountProfiles: docs/profiles.md has every profile, and README and CHANGELOG do not
// promise more than there are.
func TestPagesCountProfiles(t *testing.T) {
	t.Parallel()
	profiles := new(Catalog).Profiles()
	written := profilesPage()
	for _, p := range profiles {
		assert.Equal(t, 1, strings.Count(written, "\n| `"+p.ID+"` |"), "%s: its group has a section on the page", p.ID)
	}
	for file, pattern := range map[string]string{
		"../README.md":    `knows\s+(\d+)`,
		"../CHANGELOG.md": `(\d+) (?:load balancers|devices and servers)`,
	} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		counts := regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1)
		assert.NotEmpty(t, counts, file)
		for _, m := range counts {
			n, err := strconv.Atoi(m[1])
			require.NoError(t, err)
			assert.LessOrEqual(t, n, len(profiles), "%s: %s", file, m[0])
		}
	}
}

func profilesPage() string {
	var b strings.Builder
	b.WriteString(`# Profiles

<!-- Generated from align/profiles_*.go by go generate ./align. Do not edit. -->

What middleboxes and servers do with a silent connection, as ` + "`keepalive plan`, `check` and `profiles`" + ` and package
align know it. ` + "`keepalive profiles ID`" + ` shows one of them whole.

A fact in italics was not read at its source: *inferred* from the kind of product, *secondary* (somebody else quotes it),
*from memory*. "?" is not known: either nobody has looked, or nothing was found. A timeout is the product's default;
"never" means that there is none unless somebody sets one. "Can be set": "no" is fixed, "yes" has limits that are not known.
The date after a source is the day or the month on which it was read.

Probes do not refresh a "server timeout", nor what ends TCP or HTTP connections. What counts there:

| what | counts | advice in Go |
|---|---|---|
`)
	for _, row := range []struct {
		what string
		p    Profile
	}{
		{"ends HTTP: load balancers, proxies, web servers", Profile{Protocol: "HTTP"}},
		{"limits a silent stream: gRPC, WebSocket", Profile{Protocol: "stream"}},
		{"ends TCP only", Profile{Layer: "L4 proxy"}},
		{"may end HTTP or only TCP", Profile{Layer: "L4/L7 proxy"}},
		{"SQL databases and their proxies", Profile{Protocol: "SQL"}},
		{"Redis", Profile{Protocol: "Redis"}},
		{"Kafka", Profile{Protocol: "Kafka"}},
		{"AMQP", Profile{Protocol: "AMQP"}},
		{"NATS", Profile{Protocol: "NATS"}},
	} {
		for i, k := range kindsFor([]Profile{row.p}) {
			what := row.what
			if i > 0 {
				what = ""
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", what, k.Name, k.How)
		}
	}
	for _, section := range []struct {
		title    string
		profiles []Profile
	}{
		{"Amazon Web Services", awsProfiles},
		{"Microsoft Azure", azureProfiles},
		{"Google Cloud", gcpProfiles},
		{"Other clouds", cloudsProfiles},
		{"Kernels, Kubernetes, containers", hostsProfiles},
		{"Proxies", proxiesProfiles},
		{"HTTP servers", serversProfiles},
		{"Databases, caches, brokers", dataProfiles},
		{"Firewalls, NATs, measurements", devicesProfiles},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n", section.title)
		b.WriteString("| ID | what | timeout | can be set | probes count | on expiry | source |\n|---|---|---|---|---|---|---|\n")
		for _, p := range section.profiles {
			b.WriteString(p.spelled().pageRow())
		}
	}
	return b.String()
}

func (p Profile) pageRow() string {
	timeout := marked("?", p.TimeoutEvidence)
	switch {
	case p.Never:
		timeout = marked("never", p.TimeoutEvidence)
	case p.Timeout > 0:
		timeout = marked(duration.Format(p.Timeout), p.TimeoutEvidence)
	case p.TimeoutEvidence.Sure():
		timeout = "no default"
	}
	if p.Kind != idleTimeout {
		timeout += ", " + p.Kind.String()
	}
	if p.HalfClosed > 0 {
		timeout += "; half-closed " + marked(duration.Format(p.HalfClosed), p.HalfClosedEvidence)
	}
	what := p.Provider + " " + p.Product + " (" + p.Layer + ")"
	if p.Note != "" {
		what += ". Note: " + p.Note
	}
	if p.Sender != "" {
		what += ". Send probes from " + p.Sender
	}
	probes := "?"
	if p.Refreshed != platform.Unknown {
		probes = marked(p.Refreshed.String(), p.RefreshedEvidence)
	}
	if p.RefreshedSource != "" {
		probes += " ([source](" + p.RefreshedSource + "))"
	}
	expiry := "?"
	if p.Expiry.Known() {
		expiry = marked(cmp.Or(p.ExpiryText, p.Expiry.String()), p.ExpiryEvidence)
	}
	source := "[source](" + p.Source + ")"
	if p.Read != "" {
		source += " " + p.Read
	}
	cells := []string{"`" + p.ID + "`", what, timeout, p.rangeText(), probes, expiry, source}
	for i := range cells {
		cells[i] = strings.NewReplacer("|", "\\|", "<", "&lt;", ">", "&gt;").Replace(cells[i])
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

func (p Profile) rangeText() string {
	switch {
	case p.Min > 0 && p.Max > 0:
		return duration.Format(p.Min) + " to " + duration.Format(p.Max)
	case p.Max > 0:
		return "to " + duration.Format(p.Max)
	case p.Min > 0:
		return "from " + duration.Format(p.Min)
	case p.Settable == platform.Unknown:
		return "?"
	}
	return p.Settable.String()
}

func marked(text string, e Evidence) string {
	if e.Sure() || text == "?" {
		return text
	}
	return text + " *" + e.String() + "*"
}
