package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tcpkeepalive/keepalive/internal/alike"
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
type moreThan0 struct{ *seconds }

func (s moreThan0) Set(text string) error {
	if err := s.seconds.Set(text); err != nil {
		return err
	}
	if *s.seconds <= 0 {
		return errors.New("want a time longer than 0")
	}
	return nil
}

// A number is a flag that takes a whole number from least to most.
type number struct {
	value       *int
	least, most int
}

// unlimited is no most.
const unlimited = math.MaxInt

func (n number) String() string {
	return strconv.Itoa(*n.value)
}
func (n number) Type() string { return "int" }
func (n number) Set(text string) error {
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

// A filled is a flag of text, or of a list, that refuses to be empty: pflag takes "" for
// no value, and so a variable of the shell that is not set for no wish.
type filled struct{ pflag.Value }

func (f filled) Set(text string) error {
	if text == "" {
		return errors.New("want a value, or leave the flag out")
	}
	return f.Value.Set(text)
}

// A once is a flag that refuses a second value, which would take the place of the first
// in silence.
type once struct {
	pflag.Value
	given *string
}

func (o *once) Set(text string) error {
	if o.given != nil && text != "" {
		return fmt.Errorf("it was given before, as %s: want it once", *o.given)
	}
	if err := o.Value.Set(text); err != nil {
		return err
	}
	o.given = &text
	return nil
}

// isList tells whether a flag takes several values.
func isList(f *pflag.Flag) bool {
	return slices.Contains([]string{"stringSlice", "stringArray", "uintSlice"}, f.Value.Type())
}

// refuseMistakes makes all flags of text and lists refuse to be empty, and all but lists
// to be given twice.
func refuseMistakes(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		list := isList(f)
		if list || f.Value.Type() == "string" {
			f.Value = filled{f.Value}
		}
		if list && f.DefValue == "[]" {
			f.DefValue = "" // which the help does not show
		}
		if !list {
			f.Value = &once{Value: f.Value}
		}
	})
}

// flagError says in our words what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	var value *pflag.InvalidValueError
	var unknown *pflag.NotExistError
	switch {
	case errors.As(err, &value) && value.GetValue() == "":
		err = fmt.Errorf("--%s is empty: %w", value.GetFlag().Name, plainNumber(value.Unwrap()))
	case errors.As(err, &value):
		err = fmt.Errorf("--%s %s: %w", value.GetFlag().Name, value.GetValue(), plainNumber(value.Unwrap()))
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		})
		near := alike.Nearest(unknown.GetSpecifiedName(), names)
		for i := range near {
			near[i] = "--" + near[i]
		}
		err = fmt.Errorf("unknown flag: --%s%s", unknown.GetSpecifiedName(), alike.Question(near))
	}
	return usageError{err}
}

// plainNumber hides which function of strconv refused a number.
func plainNumber(err error) error {
	var number *strconv.NumError
	switch {
	case !errors.As(err, &number):
		return err
	case errors.Is(err, strconv.ErrRange):
		return errors.New("the number is out of range")
	case strings.HasPrefix(number.Func, "ParseBool"):
		return errors.New("want true or false")
	}
	return errors.New("want a whole number")
}

// completeWords completes a flag with one of these words, or, where several may
// be given, the last of them. A flag that completes nothing has no words.
func completeWords(cmd *cobra.Command, flag string, words func() []string) {
	complete := func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before, directive := "", cobra.ShellCompDirectiveNoFileComp
		if strings.HasSuffix(cmd.Flags().Lookup(flag).Value.Type(), "Slice") {
			before = typed[:strings.LastIndexByte(typed, ',')+1]
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		var found []string
		for _, w := range words() {
			found = append(found, before+w)
		}
		return found, directive
	}
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // the flag does not exist, or has one already
	}
}

// completeFiles lets these flags complete files.
func completeFiles(cmd *cobra.Command, flags ...string) {
	for _, flag := range flags {
		if err := cmd.MarkFlagFilename(flag); err != nil {
			panic(err) // the flag does not exist
		}
	}
}

// completeNothingElse lets all other flags and the arguments complete nothing,
// rather than files.
func completeNothingElse(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		_, files := f.Annotations[cobra.BashCompFilenameExt]
		if _, has := cmd.GetFlagCompletionFunc(f.Name); has || files || f.NoOptDefVal != "" {
			return
		}
		if err := cmd.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions); err != nil {
			panic(err)
		}
	})
	if cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
}
