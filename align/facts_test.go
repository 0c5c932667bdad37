package align_test

import (
	"encoding/csv"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/platform"
)

// TestFacts compares each profile with its line of a table that is kept by hand, so
// that no edit of the profiles changes a figure, or how sure it is, by accident.
func TestFacts(t *testing.T) {
	t.Parallel()
	f, err := os.Open("testdata/facts.csv")
	require.NoError(t, err)
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	want := map[string]string{}
	for _, line := range lines[1:] {
		want[line[0]] = strings.Join(line, ",")
	}
	require.Len(t, want, len(lines)-1, "an ID is there twice")
	for _, p := range new(align.Catalog).Profiles() {
		timeout := plain(p.Timeout)
		if p.Never {
			timeout = "never"
		}
		got := strings.Join([]string{
			p.ID, p.Kind.String(), timeout, plain(p.Min), plain(p.Max), p.Settable.String(), p.Refreshed.String(),
			p.TimeoutEvidence.String(), p.RefreshedEvidence.String(), plain(p.HalfClosed),
		}, ",")
		assert.Equal(t, want[p.ID], got, "if the source says so, change testdata/facts.csv, too")
		delete(want, p.ID)
	}
	assert.Empty(t, want, "no profile has these IDs any more")
}

// plain is a duration in whole seconds without an exponent.
func plain(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprint(int64(d / time.Second))
}

func TestEveryProfileSaysWhatItKnows(t *testing.T) {
	t.Parallel()
	profiles := new(align.Catalog).Profiles()
	assert.GreaterOrEqual(t, len(profiles), 150)
	seen := map[string]bool{}
	for _, p := range profiles {
		assert.False(t, seen[p.ID], "%s twice", p.ID)
		seen[p.ID] = true
		assert.Equal(t, strings.ToLower(p.ID), p.ID)
		assert.NotContains(t, p.ID, " ")
		require.NoError(t, p.Validate())
		for _, text := range []string{p.ID, p.Provider, p.Product, p.Layer} {
			assert.NotEmpty(t, text, "%s", p.ID)
		}
		for _, address := range []string{p.Source, p.RefreshedSource} {
			source, err := url.Parse(address)
			if assert.NoError(t, err) && address != "" {
				assert.Equal(t, "https", source.Scheme, "%s", p.ID)
				assert.NotEmpty(t, source.Host, "%s", p.ID)
			}
		}
		assert.NotEmpty(t, p.Source, p.ID)
		for _, e := range []align.Evidence{p.TimeoutEvidence, p.ExpiryEvidence, p.RefreshedEvidence} {
			assert.NotEqual(t, align.Evidence("given"), e, "%s", p.ID)
		}
		if p.TimeoutEvidence == "from memory" {
			continue // no source was read
		}
		day, err := time.Parse(time.DateOnly, p.Read)
		if err != nil {
			day, err = time.Parse("2006-01", p.Read)
		}
		if assert.NoError(t, err, "%s: the day or the month on which its source was read", p.ID) {
			assert.False(t, day.Before(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)), p.ID)
		}
	}
}

// TestFactsFitTogether: what is known of a profile does not contradict itself, and a
// server never counts probes.
func TestFactsFitTogether(t *testing.T) {
	t.Parallel()
	for _, p := range new(align.Catalog).Profiles() {
		known := p.Timeout > 0 || p.Never
		if known {
			assert.NotEqual(t, align.Evidence("not found"), p.TimeoutEvidence, "%s has a timeout", p.ID)
		}
		if p.Timeout > 0 {
			_, err := p.WithTimeout(p.Timeout)
			assert.NoError(t, err, "the default is within the range")
		}
		if max(p.Min, p.Max) > 0 && p.ID != "rfc5382-nat" { // which asks that of others
			assert.Equal(t, platform.Yes, p.Settable, "%s has a range", p.ID)
		}
		if p.Settable == platform.No {
			assert.NotZero(t, p.Timeout, "%s is fixed at nothing", p.ID)
			_, err := p.WithTimeout(p.Timeout + time.Second)
			assert.ErrorContains(t, err, "is fixed at", p.ID)
		}
		if p.Kind == "server timeout" {
			assert.Equal(t, platform.No, p.Refreshed, p.ID)
			r := align.Request{Path: []align.Profile{lookup(t, "aws-nlb-tcp"), p}}
			if p.Side == "server" { // no client sees that
				r = align.Request{Path: []align.Profile{p, lookup(t, "aws-nlb-tcp")}, Server: true}
			}
			plan, err := r.Plan()
			if assert.NoError(t, err, p.ID) && !p.Never {
				assert.Equal(t, align.NeedsHeartbeat, plan.Verdict, p.ID)
			}
		}
		if p.Expiry == "other" {
			assert.NotEmpty(t, p.ExpiryText, "%s", p.ID)
		}
	}
}
