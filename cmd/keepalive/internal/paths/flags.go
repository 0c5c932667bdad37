// Package paths has the flags that say what a connection crosses, and writes what is known
// of such a path, for plan, check, profiles and discover.
package paths

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/flags"
	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Flags are the flags that say what a connection crosses, and what it has
// to survive there.
type Flags struct {
	Path       []string
	timeouts   []string
	lostProbes int
	margin     flags.Seconds
	rtt        flags.Seconds
	hz         int
	detect     flags.Seconds

	Request align.Request
}

// AddFlags adds --path and what belongs to it.
func (o *Flags) AddFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&o.Path, "path", nil, "what the connection crosses, from client to server: profile IDs, ID=600s for one set to that time; box:300s forgets silently (box:300s/60s half-closed connections after 60s), proxy:300s and server:8h end the connection")
	f.StringArrayVar(&o.timeouts, "idle-timeout", nil, "ID=1000s: what a profile of the path is set to, the same as --path ID=1000s")
	o.lostProbes = 2
	f.Var(flags.Number(&o.lostProbes, 0, 126), "lost-probes", "how many probes may be lost in a row, 0 to 126")
	f.Var(&o.margin, "margin", "time to keep in reserve")
	f.Var(flags.MoreThan0(&o.rtt), "rtt", "longest round trip to expect (default 100ms)")
	f.Var(flags.Number(&o.hz, 24, 1200), "hz", "CONFIG_HZ of the kernel, 24 to 1200 (default: the worst of 100, 250, 300, 1000)")
	f.Var(flags.MoreThan0(&o.detect), "detect", "how soon the death of the peer has to be noticed")
	f.BoolVar(&o.Request.AssumeRefresh, "assume-refresh", false, "take it for true that probes refresh a middlebox of which that is not known or not verified")
	f.BoolVar(&o.Request.Server, "server", false, "the settings are those of the server's end, which differs if a proxy ends the connection between")
	flags.CompleteWords(cmd, "path", IDs)
	flags.CompleteWords(cmd, "idle-timeout", func() []string { return endingIn("=", IDs()) })
}

func endingIn(end string, words []string) []string {
	for i := range words {
		words[i] += end
	}
	return words
}

// IDs are those that may be typed.
func IDs() []string {
	var ids []string
	for _, p := range new(align.Catalog).Profiles() {
		ids = append(ids, p.ID)
	}
	return ids
}

// Parse turns the flags into a request.
func (o *Flags) Parse() error {
	if err := o.parsePath(); err != nil {
		return exit.UsageError(err)
	}
	o.Request.LostProbes = o.lostProbes
	if o.lostProbes == 0 {
		o.Request.LostProbes = -1
	}
	o.Request.Margin, o.Request.RTT, o.Request.HZ = time.Duration(o.margin), time.Duration(o.rtt), o.hz
	o.Request.Detect = time.Duration(o.detect)
	return o.ofFlag(o.Request.Validate())
}

// ofFlag says of the flag that was given what the error of a request says of its field.
func (o *Flags) ofFlag(err error) error {
	flags := map[string]string{"detect": "--detect", "margin": "--margin", "lost probes": "--lost-probes"}
	var value *align.ValueError
	var impossible *align.ImpossibleError
	switch {
	case err == nil:
		return nil
	case o.Request.FromFailure && o.Request.Detect == 0:
		err = errors.New("--from-failure counts --detect from the death of the peer: --detect is missing")
	case errors.As(err, &value) && flags[value.Field] != "":
		err = fmt.Errorf("%s %s: %s", flags[value.Field], value.Value, value.Limit)
	case errors.As(err, &impossible) && flags[impossible.Field] != "":
		err = fmt.Errorf("%s %s is impossible: %s", flags[impossible.Field], impossible.Value, impossible.Limit)
	}
	return exit.UsageError(err)
}

func (o *Flags) parsePath() error {
	timeouts, err := o.idleTimeouts()
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for _, element := range o.Path {
		path, err := align.Path(element)
		if err != nil {
			return fmt.Errorf("--path: %w", err)
		}
		p := path[0]
		if d, given := timeouts[p.ID]; given {
			if strings.Contains(element, "=") && p.Timeout != d {
				return fmt.Errorf("the idle timeout of %s is given as %s and as %s", p.ID, duration.Format(p.Timeout), duration.Format(d))
			}
			if p, err = p.WithTimeout(d); err != nil {
				return err
			}
		}
		used[p.ID] = true
		o.Request.Path = append(o.Request.Path, p)
	}
	for _, text := range o.timeouts {
		if id, _, _ := strings.Cut(text, "="); !used[strings.ToLower(id)] {
			return fmt.Errorf("--idle-timeout %s: --path does not have %s", text, id)
		}
	}
	return nil
}

// idleTimeouts returns the times of --idle-timeout by the ID of their profile.
func (o *Flags) idleTimeouts() (map[string]time.Duration, error) {
	timeouts := map[string]time.Duration{}
	for _, text := range o.timeouts {
		id, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, fmt.Errorf("--idle-timeout %s: want ID=TIME, such as aws-nlb-tcp=1000s", text)
		}
		if strings.Contains(id, ":") {
			return nil, fmt.Errorf("--idle-timeout %s: the time of a middlebox of your own is a part of it: --path box:TIME", text)
		}
		d, err := duration.Parse(value)
		if err != nil {
			return nil, fmt.Errorf("--idle-timeout %s: %w", text, err)
		}
		id = strings.ToLower(id)
		if before, twice := timeouts[id]; twice && before != d {
			return nil, fmt.Errorf("the idle timeout of %s is given as %s and as %s", id, duration.Format(before), duration.Format(d))
		}
		timeouts[id] = d
	}
	return timeouts, nil
}

// Plan makes the plan for the flags.
func (o *Flags) Plan() (*align.Plan, error) {
	plan, err := o.Request.Plan()
	switch {
	case err == nil:
		return plan, nil
	case errors.Is(err, sockopt.ErrUnknown) && o.Request.HalfClosed:
		return nil, exit.UnknownError(fmt.Errorf("%w: box:TIME/TIME states both of a middlebox", err))
	case errors.Is(err, sockopt.ErrUnknown):
		return nil, exit.UnknownError(fmt.Errorf("%w: give it: --path %s=TIME, or measure it: keepalive discover HOST:PORT", err, o.unknown()))
	}
	return nil, o.ofFlag(err)
}

// unknown returns the ID of the first profile of the plan's connection whose timeout has to
// be given.
func (o *Flags) unknown() string {
	for _, l := range o.Request.Legs() {
		for _, p := range l.Path {
			if l.Own && p.LimitsSilence() && p.Timeout == 0 && !p.Never {
				return p.ID
			}
		}
	}
	return "ID"
}

// IfAssumed says how a verdict that rests on what nobody verified becomes one that does not.
func IfAssumed(a *align.Assessment) error {
	return exit.UnknownError(fmt.Errorf("this rests on what nobody verified: %s (--assume-refresh takes it for true that probes refresh what they may refresh; --path ID=TIME states a timeout)", strings.Join(a.Assumptions, "; ")))
}
