package endpoint_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/endpoint"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		text      string
		prefix    string // "" for any
		low, high uint16
		written   string
	}{
		{"192.0.2.1", "192.0.2.1/32", 0, 0, "192.0.2.1"},
		{"10.0.0.0/8", "10.0.0.0/8", 0, 0, "10.0.0.0/8"},
		{"10.1.2.3/8", "10.0.0.0/8", 0, 0, "10.0.0.0/8"},
		{":443", "", 443, 443, "*:443"},
		{"*:443", "", 443, 443, "*:443"},
		{":8000-8099", "", 8000, 8099, "*:8000-8099"},
		{"*", "", 0, 0, "*"},
		{"*:*", "", 0, 0, "*"},
		{"192.0.2.1:443", "192.0.2.1/32", 443, 443, "192.0.2.1:443"},
		{"10.0.0.0/8:443", "10.0.0.0/8", 443, 443, "10.0.0.0/8:443"},
		{"2001:db8::1", "2001:db8::1/128", 0, 0, "2001:db8::1"},
		{"2001:db8::/32", "2001:db8::/32", 0, 0, "2001:db8::/32"},
		{"[2001:db8::1]", "2001:db8::1/128", 0, 0, "2001:db8::1"},
		{"[2001:db8::1]:443", "2001:db8::1/128", 443, 443, "[2001:db8::1]:443"},
		{"[2001:db8::]/32:443", "2001:db8::/32", 443, 443, "[2001:db8::]/32:443"},
		{"[2001:db8::/32]:443", "2001:db8::/32", 443, 443, "[2001:db8::]/32:443"},
		{"::", "::/128", 0, 0, "::"},
		{"::ffff:192.0.2.1", "192.0.2.1/32", 0, 0, "192.0.2.1"},
		{"::ffff:10.0.0.0/104", "10.0.0.0/8", 0, 0, "10.0.0.0/8"},
		{"fe80::1%eth0", "fe80::1/128", 0, 0, "fe80::1%eth0"},
		{"[fe80::1%3]:443", "fe80::1/128", 443, 443, "[fe80::1%3]:443"},
		{"fe80::1%a/b", "", 0, 0, ""},
	} {
		e, err := endpoint.Parse(row.text)
		if row.written == "" {
			assert.ErrorContains(t, err, "neither an IP address nor a prefix", row.text)
			continue
		}
		require.NoError(t, err, row.text)
		want := endpoint.Endpoint{LowPort: row.low, HighPort: row.high}
		_, zone, _ := strings.Cut(strings.TrimSuffix(row.text, "]:443"), "%")
		want.Zone = zone
		if row.prefix != "" {
			want.Prefix = netip.MustParsePrefix(row.prefix)
		}
		assert.Equal(t, want, e, row.text)
		assert.Equal(t, row.written, e.String(), row.text)
		again, err := endpoint.Parse(e.String())
		require.NoError(t, err, row.text)
		assert.Equal(t, e, again, row.text)
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                "empty",
		"localhost":       "host names are not resolved",
		"localhost:80":    `"localhost" is neither an IP address nor a prefix`,
		"10.0.0.0/33":     "neither an IP address nor a prefix",
		"10.0.0":          "neither an IP address nor a prefix",
		"1.2.3.4:":        "no port after the colon",
		"1.2.3.4:0":       `port "0" is not a number from 1 to 65535`,
		"1.2.3.4:65536":   `port "65536" is not a number from 1 to 65535`,
		"1.2.3.4:http":    `port "http" is not a number`,
		":8099-8000":      "the first is greater than the last",
		":80-":            `port "" is not a number`,
		"[::1":            "no ] after its address",
		"[::1]80":         "want /bits or :port after the ]",
		"[::1]:":          "want /bits or :port after the ]",
		"[::1]/x":         "neither an IP address nor a prefix",
		"1.2.3.4/24/8:80": "neither an IP address nor a prefix",
	} {
		_, err := endpoint.Parse(text)
		assert.ErrorContains(t, err, want, "%q", text)
	}
}

func TestNoSuchInterface(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"none77", "2000000000", "0", "-1"} {
		e, err := endpoint.Parse("fe80::1%" + zone)
		require.NoError(t, err)
		_, err = endpoint.WithDevices([]endpoint.Endpoint{e})
		assert.ErrorIs(t, err, endpoint.ErrNoInterface, zone)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"10.0.0.0/8:443", "[2001:db8::]/32:443", ":1-2", "*", "::ffff:1.2.3.4", "fe80::1%x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := endpoint.Parse(s)
		if err != nil {
			return
		}
		again, err := endpoint.Parse(e.String())
		if err != nil || again != e {
			t.Errorf("%q is %v, which reads as %v, %v", s, e, again, err)
		}
	})
}
