package cli

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/align"
)

// A pathOptions are the flags that say what a connection crosses, and what it has
// to survive there.
type pathOptions struct {
	path       []string
	timeouts   []string
	lostProbes int
	margin     seconds
	rtt        seconds
	hz         int
	detect     seconds

	request align.Request
}

func (o *pathOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&o.path, "path", nil, "what the connection crosses, from client to server: profile IDs; NAME=350s is a middlebox of your own")
	f.StringArrayVar(&o.timeouts, "idle-timeout", nil, "ID=1000s: what a profile of the path is set to")
	f.IntVar(&o.lostProbes, "lost-probes", 2, "how many probes may be lost in a row, 0 to 126")
	f.Var(&o.margin, "margin", "time to keep in reserve")
	f.Var(&o.rtt, "rtt", "longest round trip to expect (default 100ms)")
	f.IntVar(&o.hz, "hz", 0, "CONFIG_HZ of the kernel, 24 to 1200 (default: the worst of 100, 250, 300, 1000)")
	f.Var(&o.detect, "detect", "how soon the death of the peer has to be noticed")
	if err := cmd.RegisterFlagCompletionFunc("path", completePath); err != nil {
		panic(err) // the flag does not exist
	}
}

// completePath completes the last of several IDs.
func completePath(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	var ids []string
	for _, p := range align.Profiles() {
		ids = append(ids, before+p.ID)
	}
	return ids, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// parse turns the flags into a request.
func (o *pathOptions) parse() error {
	if err := o.parsePath(); err != nil {
		return usageError{err}
	}
	o.request.LostProbes = o.lostProbes
	switch {
	case o.lostProbes == 0:
		o.request.LostProbes = align.NoLostProbes
	case o.lostProbes < 0:
		return usageError{fmt.Errorf("--lost-probes %d: it is 0 to 126", o.lostProbes)}
	}
	o.request.Margin, o.request.RTT, o.request.HZ = time.Duration(o.margin), time.Duration(o.rtt), o.hz
	o.request.Detect = time.Duration(o.detect)
	if err := o.request.Validate(); err != nil {
		return usageError{err}
	}
	return nil
}

func (o *pathOptions) parsePath() error {
	timeouts := map[string]time.Duration{}
	set := func(id string, d time.Duration) error {
		if before, twice := timeouts[id]; twice && before != d {
			return fmt.Errorf("the idle timeout of %s is given as %s and as %s", id, before, d)
		}
		timeouts[id] = d
		return nil
	}
	for _, text := range o.timeouts {
		id, value, ok := strings.Cut(text, "=")
		if !ok {
			return fmt.Errorf("--idle-timeout %s: want ID=TIME, such as aws-nlb-tcp=1000s", text)
		}
		d, err := parseSeconds(value)
		if err == nil {
			err = set(id, d)
		}
		if err != nil {
			return fmt.Errorf("--idle-timeout %s: %w", text, err)
		}
	}
	used := map[string]bool{}
	for _, element := range o.path {
		id, value, hasTime := strings.Cut(strings.TrimSpace(element), "=")
		if hasTime {
			d, err := parseSeconds(value)
			if err == nil {
				err = set(id, d)
			}
			if err != nil {
				return fmt.Errorf("--path %s: %w", element, err)
			}
		}
		p, err := profileOrOwn(id, hasTime)
		if err != nil {
			return fmt.Errorf("--path: %w", err)
		}
		if d, given := timeouts[id]; given {
			if p, err = p.WithTimeout(d); err != nil {
				return err
			}
		}
		used[id] = true
		o.request.Path = append(o.request.Path, p)
	}
	for _, text := range o.timeouts {
		if id, _, _ := strings.Cut(text, "="); !used[id] {
			return fmt.Errorf("--idle-timeout %s: --path does not have %s", text, id)
		}
	}
	return nil
}

// plan makes the plan for the flags.
func (o *pathOptions) plan() (*align.Plan, error) {
	plan, err := o.request.Plan()
	switch {
	case err == nil:
		return plan, nil
	case errors.Is(err, align.ErrUnknown):
		err = fmt.Errorf("%w: give it with --idle-timeout ID=350s", err)
	}
	return nil, usageError{err}
}

// profileOrOwn looks a profile up, or makes one of a name with a time.
func profileOrOwn(id string, hasTime bool) (align.Profile, error) {
	p, err := align.Lookup(id)
	var unknown *align.UnknownProfileError
	switch {
	case err == nil || !errors.As(err, &unknown):
		return p, err
	case !hasTime:
		return p, fmt.Errorf("%w; keepalive profiles lists them, and NAME=350s is one of your own", err)
	case id == "":
		return p, fmt.Errorf("a middlebox of your own needs a name: NAME=350s")
	}
	return align.Profile{
		ID: id, Provider: "yours", Product: "as given", Layer: "L4",
		Refreshed: align.Yes, RefreshedEvidence: align.Inferred,
	}, nil
}

// seconds is a flag that takes 350, 350s, 1h30m.
type seconds time.Duration

func (s *seconds) String() string {
	if *s == 0 {
		return ""
	}
	return time.Duration(*s).String()
}
func (s *seconds) Type() string { return "time" }
func (s *seconds) Set(text string) error {
	d, err := parseSeconds(text)
	*s = seconds(d)
	return err
}

// parseSeconds reads a Go duration, or a number of seconds.
func parseSeconds(text string) (time.Duration, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n > math.MaxInt64/int64(time.Second) || n < -math.MaxInt64/int64(time.Second) {
			return 0, fmt.Errorf("%q is too long", text)
		}
		return time.Duration(n) * time.Second, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is no time: want 350, 350s or 1h30m", text)
	}
	return d, nil
}
