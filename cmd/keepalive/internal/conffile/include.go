package conffile

import (
	"path"
	"slices"
	"strings"
)

// Includes are looked for among the files that were given. Opening others would often
// read the wrong ones: a configuration in a repository names files of another machine.

// maxIncludes limits how deep files include each other.
const maxIncludes = 10

// includes has for each file that was included the files from which its reading started.
type includes map[string][]string

// has reports whether a file was read as a part of another one, which was not: of files
// that include each other in a circle all are documents, with the error.
func (in includes) has(name string) bool {
	return slices.ContainsFunc(in[name], func(root string) bool { return len(in[root]) == 0 })
}

// include returns the files that a pattern names. If none was given, it remarks that
// this part of the configuration was not looked at.
func (s *source) include(at Place, pattern string) []File {
	var found []File
	seen := map[string]bool{}
	for _, f := range s.others {
		if f.Name != s.Name && !seen[f.Name] && matches(pattern, f.Name) {
			seen[f.Name] = true
			s.used[f.Name] = append(s.used[f.Name], s.doc.File)
			found = append(found, f)
		}
	}
	if len(found) == 0 {
		s.remark(at, Unread, "%s is included and was not looked at: give it with --file too", pattern)
	}
	return found
}

// matches reports whether a pattern of an include names a file that was given: the whole
// path, or the end of it if one of the two is relative.
func matches(pattern, name string) bool {
	if ok, err := path.Match(pattern, name); err != nil || ok {
		return ok
	}
	if path.IsAbs(pattern) && path.IsAbs(name) {
		return false
	}
	p, n := strings.Split(path.Clean(pattern), "/"), strings.Split(path.Clean(name), "/")
	k := min(len(p), len(n))
	if k == 1 && strings.ContainsAny(p[len(p)-1], "*?[") {
		return false // "*.conf" says too little about a file without a directory
	}
	ok, err := path.Match(path.Join(p[len(p)-k:]...), path.Join(n[len(n)-k:]...))
	return ok && err == nil
}

// given reports whether a file that a pattern names was given.
func (s *source) given(pattern string) bool {
	for _, f := range s.others {
		if f.Name != s.Name && matches(pattern, f.Name) {
			return true
		}
	}
	return false
}
