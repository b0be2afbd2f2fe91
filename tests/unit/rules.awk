# SPDX-License-Identifier: GPL-2.0-only
# Prints make rules for the tests given as arguments, which lie in folder, for the Makefile there. A
# source that several tests compile in the same way is compiled once. The Makefile defines compile,
# link, root and out.
function field(name)
{
	if (index($0, "// " name ": ") != 1)
		return ""
	return " " substr($0, length(name) + 6)
}

# Paths are relative to the project's root; make them complete, so that the compiler's lists of
# headers hold wherever make runs.
function whole(flags)
{
	gsub(/ -I/, " -I$(root)/", flags)
	gsub(/ -include +/, " -include $(root)/", flags)
	return flags
}

function whole_files(paths)
{
	gsub(/ +/, " $(root)/", paths)
	return paths
}

function pkg_config(what)
{
	return pkgs == "" ? "" : " $(shell $(PKG_CONFIG) --" what pkgs ")"
}

function rules(    name, key, source, object, objects, n, i)
{
	name = file
	gsub(/.*\/|\.c$/, "", name)
	key = cflags pkgs
	gsub(/[^A-Za-z0-9]+/, "_", key)
	n = split(folder "/" file sources, source, " ")
	for (i = 1; i <= n; i++) {
		object = "$(out)/obj/" key "/" source[i] ".o"
		objects = objects " " object
		if (object in seen)
			continue
		seen[object] = 1
		# The assembler's .incbin is not in the compiler's list of what it read.
		if (i == 1 && files != "")
			print object ": export CCACHE_EXTRAFILES := $(subst " \
				"$(space),:,$(wildcard" whole_files(files) "))"
		print object ": $(root)/" source[i] (i == 1 ? whole_files(files) : "") " Makefile"
		print "\t$(compile)" whole(cflags) " -I$(root)/tests/unit" pkg_config("cflags") \
			" -c -o $@ $<"
		print "-include " object ".d"
	}
	print "$(out)/" name ":" objects
	print "\t$(link) -o $@" objects pkg_config("libs") libs " -lpthread"
}

FNR == 1 {
	if (file != "")
		rules()
	file = FILENAME
	cflags = pkgs = libs = sources = files = ""
	head = 1
}
!/^\/\// { head = 0 }
head {
	cflags = cflags field("cflags")
	pkgs = pkgs field("pkgs")
	libs = libs field("libs")
	sources = sources field("sources")
	files = files field("files")
}
END { rules() }
