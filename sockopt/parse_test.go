package sockopt_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/sockopt"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule, text string
		want       sockopt.Config
		canonical  string // what String writes
	}{
		{"on is the zero Config", "on", sockopt.Config{}, "on"},
		{"off is Disabled", "off", sockopt.Config{Disabled: true}, "off"},
		{"white space around is ignored", "\t on \n", sockopt.Config{}, "on"},
		{"all fields", "idle=60s,interval=10s,count=3,user-timeout=90s",
			sockopt.Config{Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90 * time.Second},
			"idle=60s,interval=10s,count=3,user-timeout=90s"},
		{"any order, and white space between", "count = 3 , idle = 1m",
			sockopt.Config{Idle: time.Minute, Count: 3}, "idle=60s,count=3"},
		{"a bare number is seconds", "idle=7200,interval=75,user-timeout=30",
			sockopt.Config{Idle: 2 * time.Hour, Interval: 75 * time.Second, UserTimeout: 30 * time.Second},
			"idle=7200s,interval=75s,user-timeout=30s"},
		{"on may come first", "on,idle=5", sockopt.Config{Idle: 5 * time.Second}, "idle=5s"},
		{"off may come first", "off,user-timeout=30s",
			sockopt.Config{Disabled: true, UserTimeout: 30 * time.Second}, "off,user-timeout=30s"},
		{"a user timeout can be off", "user-timeout=off", sockopt.Config{UserTimeout: noUserTimeout}, "user-timeout=off"},
		{"fractions stay, rounding is the kernel's matter", "idle=1.5s,user-timeout=250ms",
			sockopt.Config{Idle: 1500 * time.Millisecond, UserTimeout: 250 * time.Millisecond}, "idle=1.5s,user-timeout=250ms"},
		{"composed durations", "idle=1h30m", sockopt.Config{Idle: 90 * time.Minute}, "idle=5400s"},
		{"the longest duration", "idle=2562047h47m16.854775807s", sockopt.Config{Idle: math.MaxInt64}, "idle=9223372036.854775807s"},
		{"the largest number of seconds", "idle=9223372036", sockopt.Config{Idle: 9223372036 * time.Second}, "idle=9223372036s"},
		{"the range is not Parse's matter", "idle=40000s,count=2147483647",
			sockopt.Config{Idle: 40000 * time.Second, Count: math.MaxInt32}, "idle=40000s,count=2147483647"},
		// The forms of nginx, ngx_http_core_module, listen ... so_keepalive.
		{"nginx: idle and count", "30m::10", sockopt.Config{Idle: 30 * time.Minute, Count: 10}, "idle=1800s,count=10"},
		{"nginx: all three, numbers are seconds", "7200:75:9",
			sockopt.Config{Idle: 2 * time.Hour, Interval: 75 * time.Second, Count: 9}, "idle=7200s,interval=75s,count=9"},
		{"nginx: idle only", "1h::", sockopt.Config{Idle: time.Hour}, "idle=3600s"},
		{"nginx: interval only", ":75s:", sockopt.Config{Interval: 75 * time.Second}, "interval=75s"},
		{"nginx: count only", "::9", sockopt.Config{Count: 9}, "count=9"},
		{"nginx: the rest may be missing", "30m:10", sockopt.Config{Idle: 30 * time.Minute, Interval: 10 * time.Second}, "idle=1800s,interval=10s"},
		{"nginx: an idle time alone", "30m", sockopt.Config{Idle: 30 * time.Minute}, "idle=1800s"},
		{"nginx: a number alone is seconds", "60", sockopt.Config{Idle: time.Minute}, "idle=60s"},
		{"nginx: days", "1d::", sockopt.Config{Idle: 24 * time.Hour}, "idle=86400s"},
		{"nginx: weeks", "1w::", sockopt.Config{Idle: 7 * 24 * time.Hour}, "idle=604800s"},
		{"nginx: a month has 30 days, a minute a small m", "1M1m::", sockopt.Config{Idle: 30*24*time.Hour + time.Minute}, "idle=2592060s"},
		{"nginx: a year has 365 days", "1y", sockopt.Config{Idle: 365 * 24 * time.Hour}, "idle=31536000s"},
		{"nginx: units from large to small", "1h30m15s:1m", sockopt.Config{Idle: 5415 * time.Second, Interval: time.Minute}, "idle=5415s,interval=60s"},
		{"nginx: white space after a unit", "1h 30m::", sockopt.Config{Idle: 90 * time.Minute}, "idle=5400s"},
		{"nginx: 0 is unset", "0:10:0", sockopt.Config{Interval: 10 * time.Second}, "interval=10s"},
		{"nginx: white space around", " 30m::10\n", sockopt.Config{Idle: 30 * time.Minute, Count: 10}, "idle=1800s,count=10"},
		{"days in a field", "idle=1d,interval=1w", sockopt.Config{Idle: 24 * time.Hour, Interval: 7 * 24 * time.Hour}, "idle=86400s,interval=604800s"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			got, err := sockopt.Parse(tt.text)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.canonical, got.String())
		})
	}
}

const forms = "want on, off, idle=60s,interval=10s,count=3,user-timeout=90s or idle:interval:count"

func TestParseError(t *testing.T) {
	t.Parallel()
	const notADuration = " is not a duration such as 90s, 1h30m or 7d, nor a number of seconds"
	const notNginx = " is not a time that nginx takes here: whole seconds, as in 90, 30m, 1h30m or 1d; idle=..., interval=..., count=... take fractions"
	const tooLong = " is more than a duration can hold (292 years)"
	const zero = " is zero: leave it out to keep what is there"
	const fields = "; the fields are idle, interval, count and user-timeout"
	for _, tt := range []struct {
		rule, text string
		problems   []string
	}{
		{"empty", "", []string{"is empty; " + forms}},
		{"blank", " \t", []string{"is empty; " + forms}},
		{"a word", "yes", []string{`"yes" is not understood; ` + forms}},
		{"a word that starts as a unit", "month", []string{`"month" is not understood; ` + forms}},
		{"the case matters", "ON", []string{`"ON" is not understood; ` + forms}},
		{"an unknown field", "ideal=60s", []string{`unknown field "ideal"` + fields}},
		{"a field without a name", "=60s", []string{`unknown field ""` + fields}},
		{"a switch with a value", "off=1", []string{`unknown field "off"` + fields}},
		{"a field twice", "idle=1s,count=3,idle=1s", []string{"idle is given twice"}},
		{"on in the middle", "idle=60s,on", []string{`"on" must come first`}},
		{"off in the middle", "idle=60s,off,count=3", []string{`"off" must come first`}},
		{"a trailing comma", "idle=60s,", []string{"has an empty part"}},
		{"a leading comma", ",idle=60s", []string{"has an empty part"}},
		{"only a comma", ",", []string{"has an empty part", "has an empty part"}},
		{"no value", "idle=", []string{`idle=""` + notADuration}},
		{"not a number", "idle=NaN", []string{`idle="NaN"` + notADuration}},
		{"infinite", "idle=Inf", []string{`idle="Inf"` + notADuration}},
		{"scientific", "idle=1e3", []string{`idle="1e3"` + notADuration}},
		{"scientific with a unit", "idle=1e3s", []string{`idle="1e3s"` + notADuration}},
		{"hexadecimal", "idle=0x10", []string{`idle="0x10"` + notADuration}},
		{"underscores", "idle=1_000", []string{`idle="1_000"` + notADuration}},
		{"a fraction without a unit", "idle=1.5", []string{`idle="1.5"` + notADuration}},
		{"an unknown unit", "idle=2y", []string{`idle="2y"` + notADuration}},
		{"two equals signs", "idle=6=0s", []string{`idle="6=0s"` + notADuration}},
		{"colons in a field", "idle=30m::10", []string{`idle="30m::10"` + notADuration}},
		{"negative", "idle=-5s", []string{"idle=-5s is negative"}},
		{"a negative number", "interval=-5", []string{"interval=-5 is negative"}},
		{"a negative user timeout is not NoUserTimeout", "user-timeout=-1ns", []string{"user-timeout=-1ns is negative"}},
		{"zero", "idle=0", []string{"idle=0" + zero}},
		{"zero with a unit", "interval=0s", []string{"interval=0s" + zero}},
		{"less than a nanosecond is zero", "idle=0.1ns", []string{"idle=0.1ns" + zero}},
		{"a zero user timeout may mean two things", "user-timeout=0",
			[]string{"user-timeout=0: write user-timeout=off to switch it off, or leave it out to keep what is there"}},
		{"off is for the user timeout only", "idle=off", []string{`idle="off"` + notADuration}},
		{"seconds that overflow a duration", "idle=9223372037", []string{`idle="9223372037"` + tooLong}},
		{"seconds that overflow 64 bits", "idle=99999999999999999999", []string{`idle="99999999999999999999"` + tooLong}},
		{"a duration that overflows", "idle=3000000h", []string{`idle="3000000h"` + tooLong}},
		{"a count of nothing", "count=", []string{"count= is not a whole number"}},
		{"a count that is no number", "count=NaN", []string{"count=NaN is not a whole number"}},
		{"a fractional count", "count=1.5", []string{"count=1.5 is not a whole number"}},
		{"a scientific count", "count=1e3", []string{"count=1e3 is not a whole number"}},
		{"a hexadecimal count", "count=0x10", []string{"count=0x10 is not a whole number"}},
		{"a count with a unit", "count=3s", []string{"count=3s is not a whole number"}},
		{"a negative count", "count=-3", []string{"count=-3 is negative"}},
		{"a count with a plus sign", "count=+3", []string{"count=+3 has a sign: leave it out"}},
		{"a number with a plus sign", "idle=+5", []string{"idle=+5 has a sign: leave it out"}},
		{"a duration with a plus sign", "interval=+1m30s", []string{"interval=+1m30s has a sign: leave it out"}},
		{"a user timeout with a plus sign", "user-timeout=+5s", []string{"user-timeout=+5s has a sign: leave it out"}},
		{"a plus sign and nothing", "idle=+,count=+", []string{"idle=+ has a sign: leave it out", "count=+ has a sign: leave it out"}},
		{"a zero count", "count=0", []string{"count=0" + zero}},
		{"a count that overflows a C int", "count=2147483648", []string{"count=2147483648 is more than 2147483647"}},
		{"a count that overflows 64 bits", "count=99999999999999999999", []string{"count=99999999999999999999 is more than 2147483647"}},
		{"nginx: four parts", "1:2:3:4", []string{"count=3:4 is not a whole number"}},
		{"nginx: a count with a plus sign", "10::+3", []string{"count=+3 has a sign: leave it out"}},
		{"nginx: zero with a plus sign", "10::+0", []string{"count=+0 has a sign: leave it out"}},
		{"nginx: times with a plus sign", "+10:+5", []string{`idle="+10"` + notNginx, `interval="+5"` + notNginx}},
		{"nginx: nothing", "::", []string{"names no value; write on to leave all to the system"}},
		{"nginx: a colon", ":", []string{"names no value; write on to leave all to the system"}},
		{"nginx: zeros", "0:00:0", []string{"names no value; write on to leave all to the system"}},
		{"nginx: white space and nothing", ": :", []string{`interval=" "` + notNginx}},
		{"nginx: other white space and nothing", ":\t:", []string{`interval="\t"` + notNginx}},
		{"nginx: milliseconds", "500ms::3", []string{`idle="500ms"` + notNginx}},
		{"nginx: milliseconds alone", "500ms", []string{`idle="500ms"` + notNginx}},
		{"nginx: a fraction", "1.5h::", []string{`idle="1.5h"` + notNginx}},
		{"nginx: units from small to large", "1m1h::", []string{`idle="1m1h"` + notNginx}},
		{"nginx: longer than a Duration", "300y::", []string{`idle="300y" is more than a duration can hold (292 years)`}},
		{"nginx: longer than 64 bits", "99999999999999999999::", []string{`idle="99999999999999999999"` + notNginx}},
		{"nginx: every part is checked", "x:-1:-2", []string{`idle="x"` + notNginx, `interval="-1"` + notNginx, "count=-2 is negative"}},
		{"nginx and a field", "30m::10,user-timeout=90s", []string{`"30m::10" is not understood; ` + forms}},
		{"all problems at once", "idle=x,on,count=0,,interval=-1s,speed=9,count=3,user-timeout=0s", []string{
			`idle="x"` + notADuration,
			`"on" must come first`,
			"count=0" + zero,
			"has an empty part",
			"interval=-1s is negative",
			`unknown field "speed"` + fields,
			"count is given twice",
			"user-timeout=0s: write user-timeout=off to switch it off, or leave it out to keep what is there",
		}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			cfg, err := sockopt.Parse(tt.text)
			var parseError *sockopt.ParseError
			require.ErrorAs(t, err, &parseError)
			assert.Equal(t, tt.text, parseError.Text)
			assert.Equal(t, tt.problems, parseError.Problems)
			assert.Zero(t, cfg)
		})
	}
}

func TestParseErrorText(t *testing.T) {
	t.Parallel()
	_, err := sockopt.Parse("idle=-5s,count=0")
	assert.EqualError(t, err, `sockopt: keepalive "idle=-5s,count=0": idle=-5s is negative; count=0 is zero: leave it out to keep what is there`)
}
