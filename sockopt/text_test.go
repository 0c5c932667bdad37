package sockopt_test

import (
	"bytes"
	"encoding"
	"encoding/json"
	"flag"
	"io"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/sockopt"
)

var (
	_ encoding.TextMarshaler   = sockopt.Config{}
	_ encoding.TextUnmarshaler = (*sockopt.Config)(nil)
)

// randomConfig returns any Config that Parse can produce.
func randomConfig(r *rand.Rand) sockopt.Config {
	duration := func() time.Duration {
		switch r.IntN(4) {
		case 0:
			return 0
		case 1:
			return time.Duration(1+r.IntN(40000)) * time.Second
		case 2:
			return time.Duration(1+r.IntN(1<<31-1)) * time.Millisecond
		}
		return time.Duration(1 + r.Int64N(math.MaxInt64))
	}
	cfg := sockopt.Config{
		Disabled: r.IntN(2) == 0, Idle: duration(), Interval: duration(), UserTimeout: duration(),
		Count: r.IntN(2) * r.IntN(math.MaxInt32),
	}
	if r.IntN(4) == 0 {
		cfg.UserTimeout = noUserTimeout
	}
	return cfg
}

func TestTextRoundTrip(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		cfg := randomConfig(r)
		text := cfg.String()

		parsed, err := sockopt.Parse(text)
		require.NoError(t, err)
		require.Equal(t, cfg, parsed, "Parse(%q)", text)

		marshaled, err := cfg.MarshalText()
		require.NoError(t, err)
		require.Equal(t, text, string(marshaled))
		var unmarshaled sockopt.Config
		require.NoError(t, unmarshaled.UnmarshalText(marshaled))
		require.Equal(t, cfg, unmarshaled)

		encoded, err := json.Marshal(cfg)
		require.NoError(t, err)
		var decoded sockopt.Config
		require.NoError(t, json.Unmarshal(encoded, &decoded))
		require.Equal(t, cfg, decoded, "JSON %s", encoded)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"on", "off", "30m::10", "30m", "1d::", "1M1m", "1h 30m:1w:3", "500ms::3", "9999999999999y::", "7200:75:9", "::", "off,user-timeout=30s", "idle=60s,interval=10s,count=3,user-timeout=off",
		"idle=1.5s", "idle=-1", "count=0", "idle=9223372037", "idle=1e3", "on,on", ",", "=", "idle=\x00", ":\t:", "idle=µs",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cfg, err := sockopt.Parse(text)
		if err != nil {
			var parseError *sockopt.ParseError
			require.ErrorAs(t, err, &parseError)
			require.NotEmpty(t, parseError.Problems)
			require.Equal(t, text, parseError.Text)
			require.Zero(t, cfg)
			return
		}
		require.GreaterOrEqual(t, cfg.Idle, time.Duration(0))
		require.GreaterOrEqual(t, cfg.Interval, time.Duration(0))
		require.GreaterOrEqual(t, cfg.Count, 0)
		require.GreaterOrEqual(t, cfg.UserTimeout, noUserTimeout)
		again, err := sockopt.Parse(cfg.String())
		require.NoError(t, err)
		require.Equal(t, cfg, again)
		require.Equal(t, cfg.String(), again.String())
	})
}

func TestMarshalTextRefusesNegatives(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule string
		cfg  sockopt.Config
		want string
	}{
		{"idle", sockopt.Config{Idle: -time.Second}, `sockopt: keepalive "idle=-1s": idle=-1s is negative`},
		{"interval", sockopt.Config{Interval: math.MinInt64}, `sockopt: keepalive "interval=-9223372036.854775808s": interval=-9223372036.854775808s is negative`},
		{"count", sockopt.Config{Count: -1}, `sockopt: keepalive "count=-1": count=-1 is negative`},
		{"a user timeout that is not NoUserTimeout", sockopt.Config{UserTimeout: -2}, `sockopt: keepalive "user-timeout=-2ns": user-timeout=-2ns is negative`},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			text, err := tt.cfg.MarshalText()
			assert.EqualError(t, err, tt.want)
			assert.Nil(t, text)
			_, err = json.Marshal(tt.cfg)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	type service struct {
		KeepAlive sockopt.Config `json:"keepalive"`
	}
	t.Run("a Config is a string", func(t *testing.T) {
		t.Parallel()
		encoded, err := json.Marshal(service{everyField})
		require.NoError(t, err)
		assert.JSONEq(t, `{"keepalive":"idle=30s,interval=10s,count=3,user-timeout=60s"}`, string(encoded))
	})
	t.Run("an absent field is the zero Config", func(t *testing.T) {
		t.Parallel()
		var s service
		require.NoError(t, json.Unmarshal([]byte(`{}`), &s))
		assert.Zero(t, s)
	})
	t.Run("a Config can be a map's key", func(t *testing.T) {
		t.Parallel()
		encoded, err := json.Marshal(map[sockopt.Config]int{{Count: 3}: 1})
		require.NoError(t, err)
		assert.JSONEq(t, `{"count=3":1}`, string(encoded))
	})
	for rule, document := range map[string]string{
		"an empty text is an error": `{"keepalive":""}`,
		"a bad text is an error":    `{"keepalive":"idle=0"}`,
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			s := service{everyField}
			var parseError *sockopt.ParseError
			require.ErrorAs(t, json.Unmarshal([]byte(document), &s), &parseError)
			assert.Equal(t, everyField, s.KeepAlive, "the value must stay as it was")
		})
	}
}

func TestFlag(t *testing.T) {
	t.Parallel()
	t.Run("the default and a value", func(t *testing.T) {
		t.Parallel()
		var cfg sockopt.Config
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		fs.TextVar(&cfg, "keepalive", everyField, "TCP keepalive")
		assert.Equal(t, everyField, cfg)
		require.NoError(t, fs.Parse([]string{"-keepalive=off"}))
		assert.Equal(t, sockopt.Config{Disabled: true}, cfg)
	})
	t.Run("an error names the flag and leaves the value", func(t *testing.T) {
		t.Parallel()
		var cfg sockopt.Config
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		fs.TextVar(&cfg, "keepalive", everyField, "TCP keepalive")
		err := fs.Parse([]string{"-keepalive", "idle=5s,count=0"})
		assert.EqualError(t, err, `invalid value "idle=5s,count=0" for flag -keepalive: `+
			`sockopt: keepalive "idle=5s,count=0": count=0 is zero: leave it out to keep what is there`)
		assert.Equal(t, everyField, cfg)
	})
	t.Run("the usage text shows the default", func(t *testing.T) {
		t.Parallel()
		var usage bytes.Buffer
		var cfg sockopt.Config
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		fs.SetOutput(&usage)
		fs.TextVar(&cfg, "keepalive", everyField, "TCP keepalive")
		fs.PrintDefaults()
		assert.Contains(t, usage.String(), "(default idle=30s,interval=10s,count=3,user-timeout=60s)")
	})
}

func TestUnmarshalTextLeavesTheValueOnError(t *testing.T) {
	t.Parallel()
	cfg := everyField
	require.Error(t, cfg.UnmarshalText([]byte("idle=1s,count=x")))
	assert.Equal(t, everyField, cfg)
	require.Error(t, cfg.UnmarshalText(nil))
	assert.Equal(t, everyField, cfg)
	require.NoError(t, cfg.UnmarshalText([]byte("on")))
	assert.Zero(t, cfg, "fields that the text does not name become unset")
}
