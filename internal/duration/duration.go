// Package duration parses and formats durations for people: one grammar for text
// forms, flags and output, so that printed durations can be typed.
package duration

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// The errors that [Parse] wraps.
var (
	ErrSyntax = errors.New("is not a duration such as 90s, 1h30m or 7d, nor a number of seconds")
	ErrRange  = errors.New("is more than a duration can hold (292 years)")
)

// Parse parses a duration: a whole number of seconds, "350", or numbers with
// units, "350s", "1h30m", "1.5s", "7d", "2w". The units are those of
// [time.ParseDuration], d for 24 hours and w for 7 days; a sign may come first.
// An error names the text, and wraps [ErrSyntax] or [ErrRange].
func Parse(text string) (time.Duration, error) {
	rest, negative := text, false
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		rest, negative = rest[1:], rest[0] == '-'
	}
	parts, ok := split(rest)
	if !ok {
		return 0, fmt.Errorf("%q %w", text, ErrSyntax)
	}
	var sum uint64 // nanoseconds, at most 1<<63: the smallest Duration has no positive counterpart
	for _, p := range parts {
		d, ok := p.duration()
		if sum += d; !ok || sum > 1<<63 {
			return 0, fmt.Errorf("%q %w", text, ErrRange)
		}
	}
	switch {
	case negative:
		return -time.Duration(sum), nil
	case sum > math.MaxInt64:
		return 0, fmt.Errorf("%q %w", text, ErrRange)
	}
	return time.Duration(sum), nil
}

// A part is a number and its unit.
type part struct{ number, unit string }

// split splits a text without sign into its parts, and reports whether it is a
// duration.
func split(text string) (parts []part, ok bool) {
	if text != "" && strings.Trim(text, "0123456789") == "" {
		return []part{{text, "s"}}, true
	}
	for text != "" {
		number := text[:len(text)-len(strings.TrimLeft(text, "0123456789."))]
		text = text[len(number):]
		unit := text
		if i := strings.IndexAny(text, "0123456789."); i >= 0 {
			unit = text[:i]
		}
		text = text[len(unit):]
		if strings.Count(number, ".") > 1 || strings.Trim(number, ".") == "" {
			return nil, false
		}
		switch unit {
		case "ns", "us", "µs", "μs", "ms", "s", "m", "h", "d", "w": // the micro sign and the Greek letter, as in Go
		default:
			return nil, false
		}
		parts = append(parts, part{number, unit})
	}
	return parts, len(parts) > 0
}

// duration returns the nanoseconds, at most 1<<63; or false if the part is
// longer.
func (p part) duration() (uint64, bool) {
	unit, times := p.unit, time.Duration(1)
	switch unit {
	case "d":
		unit, times = "h", day/time.Hour
	case "w":
		unit, times = "h", week/time.Hour
	}
	d, err := time.ParseDuration("-" + p.number + unit) // the range has one more value below zero
	return uint64(-d) * uint64(times), err == nil && d >= math.MinInt64/times
}
