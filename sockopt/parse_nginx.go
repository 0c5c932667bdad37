package sockopt

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// nginx parses the value of nginx's so_keepalive: idle:interval:count. Trailing
// parts may be missing, and an empty part or 0 is unset. It accepts and rejects
// what nginx does (ngx_http_core_module.c, ngx_http_core_listen).
func (p *parser) nginx(text string) {
	parts := append(strings.SplitN(text, ":", 3), "", "")
	if _, ok := nginxTime(text); !ok && !strings.Contains(text, ":") && (text[0] < '0' || text[0] > '9') {
		p.problem("%q is not understood; %s", text, textForms)
		return
	}
	p.cfg.Idle = p.nginxDuration("idle", parts[0])
	p.cfg.Interval = p.nginxDuration("interval", parts[1])
	if count := parts[2]; count != "" && strings.Trim(count, "0") != "" {
		p.cfg.Count = p.count(count)
	}
	if p.cfg == (Config{}) && len(p.err.Problems) == 0 {
		p.problem("names no value; write on to leave all to the system")
	}
}

func (p *parser) nginxDuration(name, value string) time.Duration {
	if value == "" {
		return 0
	}
	seconds, ok := nginxTime(value)
	switch {
	case !ok:
		p.problem("%s=%q is not a time that nginx takes here: whole seconds, as in 90, 30m, 1h30m or 1d; "+
			"idle=..., interval=..., count=... take fractions", name, value)
	case seconds > math.MaxInt64/int64(time.Second):
		p.problem("%s=%q is more than a duration can hold (292 years)", name, value)
	default:
		return time.Duration(seconds) * time.Second
	}
	return 0
}

// nginxUnits are the units in the order in which they must appear. A space ends
// a number of seconds.
const nginxUnits = "yMwdhms "

var nginxSeconds = [len(nginxUnits)]int64{365 * 24 * 3600, 30 * 24 * 3600, 7 * 24 * 3600, 24 * 3600, 3600, 60, 1, 1}

// nginxTime is ngx_parse_time (src/core/ngx_parse.c) for whole seconds.
func nginxTime(text string) (seconds int64, ok bool) {
	last, from := -1, 0 // the previous unit, and where the number after it starts
	for i := 0; i < len(text); i++ {
		if c := text[i]; c >= '0' && c <= '9' {
			ok = true
			continue
		}
		unit := strings.IndexByte(nginxUnits, text[i])
		switch {
		case unit <= last, // unknown, twice, or after a smaller one
			text[i] == ' ' && last >= strings.IndexByte(nginxUnits, 's'),
			strings.HasPrefix(text[i:], "ms"):
			return 0, false
		}
		last = unit
		if seconds = addTime(seconds, text[from:i], nginxSeconds[unit]); seconds < 0 {
			return 0, false
		}
		for i+1 < len(text) && text[i+1] == ' ' {
			i++
		}
		from = i + 1
	}
	seconds = addTime(seconds, text[from:], 1)
	return seconds, ok && seconds >= 0
}

// addTime adds a number of units; empty digits add nothing. It returns -1 on
// overflow.
func addTime(sum int64, digits string, unit int64) int64 {
	if digits == "" {
		return sum
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > (math.MaxInt64-sum)/unit {
		return -1
	}
	return sum + n*unit
}
