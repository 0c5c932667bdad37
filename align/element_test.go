package align_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/platform"
)

// TestPathElements: what an element stands for, and what is wrong with one.
func TestPathElements(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		id       string
		timeout  time.Duration
		expiry   align.Expiry
		probes   platform.Answer
		ends     bool
		noDoubts bool
	}{
		"aws-nlb-tcp":        {"aws-nlb-tcp", seconds(350), "silent, RST on next packet", platform.Yes, false, true},
		" AWS-NLB-TCP=600s ": {"aws-nlb-tcp", seconds(600), "silent, RST on next packet", platform.Yes, false, true},
		"box:300s":           {"box:300s", seconds(300), "silent drop", platform.Yes, false, true},
		"BOX:5m":             {"box:5m", seconds(300), "silent drop", platform.Yes, false, true},
		"proxy:60":           {"proxy:60", seconds(60), "closed", platform.No, true, true},
		"box:5m/60s":         {"box:5m/60s", seconds(300), "silent drop", platform.Yes, false, true},
		"server:8h":          {"server:8h", 8 * time.Hour, "closed", platform.No, false, true},
	} {
		path, err := align.Path(text)
		require.NoError(t, err, text)
		p := path[0]
		assert.Equal(t, want.id, p.ID, text)
		assert.Equal(t, want.timeout, p.Timeout, text)
		assert.Equal(t, want.expiry, p.Expiry, text)
		assert.Equal(t, want.probes, p.Refreshed, text)
		assert.Equal(t, want.ends, p.EndsTCP(), text)
		assert.Empty(t, p.Doubts(), text)
		assert.NoError(t, p.Validate())
		if text == "box:5m/60s" {
			assert.Equal(t, seconds(60), p.HalfClosed)
		} else if p.Provider == "yours" {
			assert.Zero(t, p.HalfClosed, "nobody has stated it")
		}
	}
	const forms = "box:TIME (it forgets silently, and probes count), proxy:TIME or server:TIME (it ends idle connections, and probes do not count)"
	for text, want := range map[string]string{
		"aws-abl":             `no profile "aws-abl": did you mean aws-alb`,
		"aws-abl=60s":         `no profile "aws-abl": did you mean aws-alb`,
		"office-firewall=15m": " middlebox of your own is " + forms,
		"firewall:15m":        `no middlebox "firewall:15m": one of your own is ` + forms,
		"box:":                "box:: ",
		"box":                 "box has no time: one of your own is " + forms,
		"box=5m":              "box=5m has no time: one of your own is " + forms,
		"box:5m/":             "box:5m/: ",
		"box:5m/0":            "half-closed timeout of box:5m/0=0s: must be positive",
		"proxy:5m/60s":        "align: proxy:5m/60s: only box has a time for half-closed connections",
		"server:8h/":          "server:8h/: only box has a time for half-closed connections",
		"box:soon":            "box:soon: ",
		"box:0s":              "timeout of box:0s=0s: must be positive and at most ",
		"box:-5s":             "-5s",
		"box:101y":            "box:101y",
		"proxy:50000d":        "must be positive and at most ",
		"aws-nlb-tcp=5s":      "timeout of aws-nlb-tcp=5s: idle timeout of aws-nlb-tcp is 60s to 6000s",
		"aws-nlb-tcp=":        "aws-nlb-tcp=: ",
		"":                    `no profile ""`,
		"=60s":                `no profile ""`,
	} {
		_, err := align.Path(text)
		assert.ErrorContains(t, err, want, "%q", text)
	}
}

// TestATimeWithoutAUnit: a number is seconds, and somebody may have meant milliseconds.
func TestATimeWithoutAUnit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"box:300000":      "box:300000 is 3d11h20m: was 300s meant?",
		"proxy:604800":    "proxy:604800 is 7d: was 604.8s meant?",
		"box:300000/120":  "box:300000/120 is 3d11h20m: was 300s meant?",
		"box:86400":       "",
		"box:300000s":     "",
		"box:10d":         "",
		"linux-conntrack": "",
	} {
		warnings := strings.Join(mustPlan(t, request(t, text)).Warnings, "\n")
		if want == "" {
			assert.NotContains(t, warnings, "meant?", text)
		} else {
			assert.Contains(t, warnings, want, text)
		}
	}
}
