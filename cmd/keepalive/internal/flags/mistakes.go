package flags

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/alike"
)

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

// RefuseMistakes makes all flags of text and lists refuse to be empty, and all but lists
// to be given twice.
func RefuseMistakes(cmd *cobra.Command) {
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

// Error says in our words what is wrong with a flag.
func Error(cmd *cobra.Command, err error) error {
	var value *pflag.InvalidValueError
	var unknown *pflag.NotExistError
	var without *pflag.ValueRequiredError
	switch {
	case errors.As(err, &without): // what it takes, a flag says when it is given an empty value
		err = fmt.Errorf("--%s has no value: %w", without.GetFlag().Name, cmp.Or(plainNumber(without.GetFlag().Value.Set("")), err))
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
	return exit.UsageError(err)
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

// Exclusive refuses two of these flags at once. (cobra's own check is not told
// from other errors.)
func Exclusive(cmd *cobra.Command, names ...string) error {
	given := ""
	for _, name := range names {
		switch {
		case !cmd.Flags().Changed(name):
		case given != "":
			return exit.UsageError(fmt.Errorf("--%s and --%s exclude each other", given, name))
		default:
			given = name
		}
	}
	return nil
}

// NoArgs refuses anything that is not a flag, or a command further down.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return NotUnderstood(cmd, args[0], names)
}

// NotUnderstood refuses a word, and suggests one of names.
func NotUnderstood(cmd *cobra.Command, word string, names []string) error {
	return exit.UsageError(fmt.Errorf("%q is not understood; see %s --help%s", word, cmd.CommandPath(), alike.Question(alike.Nearest(word, names))))
}

// MeantFor refuses words that are values of a flag, and says so.
func MeantFor(words []string, flag, separator string) error {
	return exit.UsageError(fmt.Errorf("%q is not understood; did you mean --%s %s?", words[0], flag, strings.Join(words, separator)))
}
