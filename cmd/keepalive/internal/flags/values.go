// Package flags has the values of flags, the refusal of mistakes, completion and help.
package flags

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/tcpkeepalive/keepalive/internal/duration"
)

// Seconds is a flag that takes 350, 350s, 1h30m, 1d.
type Seconds time.Duration

func (s *Seconds) String() string {
	if *s == 0 {
		return ""
	}
	return duration.Format(time.Duration(*s))
}
func (s *Seconds) Type() string { return "time" }
func (s *Seconds) Set(text string) error {
	d, err := duration.Parse(text)
	*s = Seconds(d)
	return err
}

// MoreThan0 is a flag of seconds whose 0 stands for "not given", so that nobody
// can ask for it.
func MoreThan0(s *Seconds) pflag.Value { return positive{s} }

type positive struct{ *Seconds }

func (p positive) Set(text string) error {
	if err := p.Seconds.Set(text); err != nil {
		return err
	}
	if *p.Seconds <= 0 {
		return errors.New("want a time longer than 0")
	}
	return nil
}

// Number is a flag that takes a whole number from least to most.
func Number(value *int, least, most int) pflag.Value { return bounded{value, least, most} }

// Unlimited is no most.
const Unlimited = math.MaxInt

type bounded struct {
	value       *int
	least, most int
}

func (n bounded) String() string {
	return strconv.Itoa(*n.value)
}
func (n bounded) Type() string { return "int" }
func (n bounded) Set(text string) error {
	v, err := strconv.Atoi(text)
	if err != nil || v < n.least || v > n.most {
		if n.most == Unlimited {
			return fmt.Errorf("want a whole number, %d or more", n.least)
		}
		return fmt.Errorf("want a whole number from %d to %d", n.least, n.most)
	}
	*n.value = v
	return nil
}
