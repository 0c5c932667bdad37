package cli

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/tcpkeepalive/keepalive/internal/duration"
)

// seconds is a flag that takes 350, 350s, 1h30m, 1d.
type seconds time.Duration

func (s *seconds) String() string {
	if *s == 0 {
		return ""
	}
	return duration.Format(time.Duration(*s))
}
func (s *seconds) Type() string { return "time" }
func (s *seconds) Set(text string) error {
	d, err := duration.Parse(text)
	*s = seconds(d)
	return err
}

// moreThan0 is a flag of seconds whose 0 stands for "not given", so that nobody
// can ask for it.
func moreThan0(s *seconds) pflag.Value { return positive{s} }

type positive struct{ *seconds }

func (p positive) Set(text string) error {
	if err := p.seconds.Set(text); err != nil {
		return err
	}
	if *p.seconds <= 0 {
		return errors.New("want a time longer than 0")
	}
	return nil
}

// number is a flag that takes a whole number from least to most.
func number(value *int, least, most int) pflag.Value { return bounded{value, least, most} }

// unlimited is no most.
const unlimited = math.MaxInt

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
		if n.most == unlimited {
			return fmt.Errorf("want a whole number, %d or more", n.least)
		}
		return fmt.Errorf("want a whole number from %d to %d", n.least, n.most)
	}
	*n.value = v
	return nil
}
