def get_assert(output, context):
    return output == context["vars"]["answer"]
