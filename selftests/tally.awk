# SPDX-License-Identifier: GPL-2.0
#
# tally.awk - count the tests in the output of selftests/vm/suite.
#
# Variables: where (the row, printed in each line). Prints one line a result:
#
#   pass WHERE PROGRAM: NAME
#   fail WHERE PROGRAM: NAME
#   skip WHERE PROGRAM: NAME
#   done PROGRAM              after its end, whatever that was
#
# A program fails once more if it printed no plan, fewer or more results than
# planned, or ended badly without saying which test failed. With a test that
# failed goes the last line that tells where.

function result(kind, text)
{
	count[kind]++
	print kind, where, program ": " text
}

function finish(status,   results)
{
	results = count["pass"] + count["fail"] + count["skip"]
	if (plan == "")
		result("fail", "printed no plan")
	else if (results != plan)
		result("fail", "planned " plan " tests, showed " results)
	if (status == 143 || status == 137)
		result("fail", "took too long or was killed (status " status ")")
	else if (status != 0 && status != 4 && !count["fail"])
		result("fail", "ended with status " status)
	print "done", program
	program = ""
}

{ sub(/\r$/, "") }

/^# suite begin / {
	program = $4
	plan = ""
	place = ""
	delete count
	next
}

/^# suite end / { finish($5); next }

program == "" { next }

# A program that runs others prints more than one plan.
/^1\.\.[0-9]+/ { plan += substr($1, 4); next }

/^# [a-z_0-9.\/]+\.[ch]:[0-9]+:/ { place = " (" substr($0, 3) ")"; next }

/^ok .*# SKIP/ { result("skip", $0); next }
/^ok /         { result("pass", $0); next }
/^not ok /     { result("fail", $0 place); place = ""; next }
