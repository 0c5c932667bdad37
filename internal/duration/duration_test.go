package duration_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/duration"
)

const day = 24 * time.Hour

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0":                         0,
		"350":                       350 * time.Second,
		"007":                       7 * time.Second,
		"9223372036":                9223372036 * time.Second,
		"350s":                      350 * time.Second,
		"1h30m":                     90 * time.Minute,
		"1.5s":                      1500 * time.Millisecond,
		".5s":                       500 * time.Millisecond,
		"5.s":                       5 * time.Second,
		"250ms":                     250 * time.Millisecond,
		"3us":                       3 * time.Microsecond,
		"3µs":                       3 * time.Microsecond,
		"3μs":                       3 * time.Microsecond,
		"1d":                        day,
		"2w":                        14 * day,
		"1w2d3h":                    9*day + 3*time.Hour,
		"1.5d":                      36 * time.Hour,
		"0.5w":                      84 * time.Hour,
		"106751d23h47m16s":          106751*day + 23*time.Hour + 47*time.Minute + 16*time.Second,
		"-5":                        -5 * time.Second,
		"-1d":                       -day,
		"+5s":                       5 * time.Second,
		"2562047h47m16.854775807s":  math.MaxInt64,
		"-2562047h47m16.854775808s": math.MinInt64,
		"-9223372036.854775808s":    math.MinInt64,
	} {
		got, err := duration.Parse(text)
		require.NoError(t, err)
		assert.Equal(t, want, got, text)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"":                         duration.ErrSyntax,
		"-":                        duration.ErrSyntax,
		"soon":                     duration.ErrSyntax,
		"s":                        duration.ErrSyntax,
		"NaN":                      duration.ErrSyntax,
		"1.5":                      duration.ErrSyntax, // of what?
		"1h30":                     duration.ErrSyntax,
		"1e3s":                     duration.ErrSyntax,
		"0x10":                     duration.ErrSyntax,
		"1_000":                    duration.ErrSyntax,
		"1 h":                      duration.ErrSyntax,
		" 1h":                      duration.ErrSyntax,
		"1..5s":                    duration.ErrSyntax,
		".s":                       duration.ErrSyntax,
		"--5s":                     duration.ErrSyntax,
		"1h-5s":                    duration.ErrSyntax,
		"1M":                       duration.ErrSyntax, // a month or a minute?
		"1y":                       duration.ErrSyntax,
		"5S":                       duration.ErrSyntax,
		"9223372037":               duration.ErrRange,
		"-9223372037":              duration.ErrRange,
		"99999999999999999999":     duration.ErrRange,
		"3000000h":                 duration.ErrRange,
		"106752d":                  duration.ErrRange,
		"99999999999w":             duration.ErrRange,
		"2562047h47m16.854775808s": duration.ErrRange,
		"100000d100000d":           duration.ErrRange,
		"100000d100000d100000d":    duration.ErrRange, // more than 64 bits
	} {
		d, err := duration.Parse(text)
		require.ErrorIs(t, err, want, text)
		assert.Zero(t, d)
		assert.NotContains(t, err.Error(), "strconv")
		assert.NotContains(t, err.Error(), "time:")
	}
	_, err := duration.Parse("soon")
	assert.EqualError(t, err, `"soon" is not a duration such as 90s, 1h30m or 7d, nor a number of seconds`)
	_, err = duration.Parse("3000000h")
	assert.EqualError(t, err, `"3000000h" is more than a duration can hold (292 years)`)
}

func TestFormat(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0:                        "0s",
		time.Minute:              "60s",
		350 * time.Second:        "350s",
		time.Hour:                "3600s",
		4 * time.Hour:            "4h",
		day:                      "1d",
		14 * day:                 "14d",
		36 * time.Hour:           "36h",
		1500 * time.Millisecond:  "1.5s",
		250 * time.Millisecond:   "250ms",
		60500 * time.Millisecond: "60.5s",
		time.Microsecond:         "1µs",
		-day:                     "-86400s",
	} {
		assert.Equal(t, want, duration.Format(d))
	}
}

func TestFormatsForPeople(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]struct{ seconds, bound, passing string }{
		0:                        {"0s", "0s", "0s"},
		time.Millisecond:         {"1ms", "100ms", "0s"},
		9940 * time.Millisecond:  {"9.94s", "10s", "9.9s"},
		9960 * time.Millisecond:  {"9.96s", "10s", "10s"},
		60501 * time.Millisecond: {"60.501s", "60.6s", "1m1s"},
		2 * time.Hour:            {"7200s", "7200s", "2h0m0s"},
		-1500 * time.Millisecond: {"-1.5s", "-1.5s", "-1.5s"},
		math.MaxInt64:            {"9223372036.854775807s", "9223372036.854775807s", "2562047h47m16.854775807s"},
	} {
		assert.Equal(t, want.seconds, duration.Seconds(d))
		assert.Equal(t, want.bound, duration.Bound(d))
		assert.Equal(t, want.passing, duration.Passing(d))
	}
}

// What is printed can be typed, and Go's own form is understood too.
func FuzzFormatIsParsed(f *testing.F) {
	for _, d := range []int64{0, 1, -1, math.MaxInt64, math.MinInt64, int64(day), int64(time.Hour), int64(90 * time.Second), int64(1500 * time.Millisecond)} {
		f.Add(d)
	}
	f.Fuzz(func(t *testing.T, n int64) {
		d := time.Duration(n)
		for _, text := range []string{duration.Format(d), d.String()} {
			got, err := duration.Parse(text)
			require.NoError(t, err)
			require.Equal(t, d, got, text)
		}
	})
}

// Whatever Go reads means the same here, but for texts without a unit.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"1h30m", "1.5s", "-5s", "1d", "2w3d", "350", "1..5s", "1h30", "µs", "9999999999999h", "\x00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := duration.Parse(text)
		want, errOfGo := time.ParseDuration(text)
		if errOfGo == nil {
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		if err == nil {
			again, err := duration.Parse(duration.Format(got))
			require.NoError(t, err)
			require.Equal(t, got, again)
		}
	})
}
