def call_api(prompt, options, context):
    return {"output": "1.0" if prompt == context["vars"]["answer"] else "0.0"}
